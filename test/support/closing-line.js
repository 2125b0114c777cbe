// Jest reporter: ends the run with one plain line that any log reader can find.
export default class ClosingLine {
  onRunComplete(_, results) {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } = results;
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    const line = `${numPassedTests} passed, ${failed} failed, ${numPendingTests + numTodoTests} skipped\n`;
    // Jest's own summary comes after every reporter; the plain line has to be the last.
    process.once('exit', () => process.stdout.write(line));
  }
}
