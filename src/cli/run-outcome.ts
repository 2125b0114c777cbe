// How a run ended, for a person, and its exit code: wherever it went.
import { toKnownError } from '../kernel/errors.js';
import type { Pruned, RunSummary } from '../pipeline/report/report.js';
import type { Reused } from '../pipeline/reuse.js';
import { paint, printError, stripControls, toBytesText, toExitCode, toFindingText, toReasonsText } from './print.js';

export function printOutcome(summary: RunSummary, error: unknown): number {
  const { state, dataset, decision, findings } = summary;
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  if (state === 'published' && dataset) {
    const rows = summary.tables.reduce((sum, table) => sum + table.rows, 0);
    say(
      `${paint('published', 32)} ${dataset.target}, version ${dataset.version}: ${rows.toLocaleString('en')} rows in ${summary.seconds.toFixed(1)} s (${summary.rowsPerSecond.toLocaleString('en')} rows/s while they moved, peak memory ${toBytesText(summary.peakRssBytes)})`,
    );
    for (const one of summary.pruned) say(toPrunedText(one));
    if (error === undefined) return 0;
    printError(error, []);
    return toExitCode(error);
  }
  if (summary.reused) {
    say(`${paint('reused', 32)} ${toReusedText(summary.reused)}`);
    return 0;
  }
  if (state === 'denied' && decision) {
    say(toReasonsText(decision.reasons));
    say(`${paint('denied', 31)} by policy ${decision.policy.revision}, decision ${decision.decisionId}; no row was read`);
    return 2;
  }
  if (state === 'withheld') {
    for (const finding of findings.filter(({ severity }) => severity === 'error')) say(toFindingText(finding));
    say(`${paint('withheld', 31)}: nothing was published, the target is as it was`);
    return 1;
  }
  // Warnings were said when they were found.
  printError(
    error,
    toKnownError(error).findings.filter(({ severity }) => severity === 'error'),
  );
  // Its hint asks for it.
  if (toKnownError(error).code === 'UNEXPECTED') say(`run      ${summary.runId}`);
  return toExitCode(error);
}

/** What of it nobody can reach is in --json, and in the log. */
function toPrunedText({ target, version, attestation: { dropped, kept, beyond } }: Pruned): string {
  const stay = kept.length === 0 ? '' : `; ${kept.length} stay: ${kept.map(({ name, why }) => `${name}, ${why}`).join('; ')}`;
  const unknown = Object.values(beyond).filter(({ says }) => says === 'unknown').length;
  const out =
    unknown === 0 ? 'all places out of reach are declared' : `of ${unknown} places out of reach nobody said how long they keep it`;
  return stripControls(`dropped  ${target}, version ${version}, beyond keepVersions: ${dropped.length} seen gone${stay}; ${out}`);
}

function toReusedText({ target, version, ageSeconds, unchangedUntil, expiresAt }: Reused): string {
  const age =
    ageSeconds < 120 ? `${ageSeconds} s` : ageSeconds < 7200 ? `${Math.round(ageSeconds / 60)} min` : `${Math.round(ageSeconds / 3600)} h`;
  return `${target}, version ${version}: its rows were read ${age} ago, the source has not changed until ${unchangedUntil}, it expires at ${expiresAt}`;
}
