// What a process gives away when it crashes or is signalled: a code and a place, never its memory. Originals pass through it.
import { existsSync, writeFileSync } from 'node:fs';

import { toError } from '../kernel/errors.js';

/** Options of Node that write the heap to a file and cannot be taken back from within. */
const heapToDisk = /^--heapsnapshot-(near-heap-limit|signal)\b/;
const coredumpFilter = '/proc/self/coredump_filter';

/**
 * A core dump then holds registers and no memory, whatever `ulimit -c` and the host's core pattern say; Node writes no crash report (it lists
 * the environment and with it connection strings); SIGUSR1 opens no debugger. Throws PROCESS_WRITES_MEMORY where Node was told to write its heap.
 */
export function sealProcess(): void {
  const words = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)];
  const dumping = words.find((word) => heapToDisk.test(word));
  if (dumping !== undefined) throw toError('PROCESS_WRITES_MEMORY', { name: dumping.replace(/=.*/, '') });
  if (process.report) Object.assign(process.report, { reportOnFatalError: false, reportOnSignal: false, reportOnUncaughtException: false });
  process.on('SIGUSR1', () => undefined);
  // Of this process and all its threads (core(5)). Other systems dump no core unless told to.
  if (existsSync(coredumpFilter)) writeFileSync(coredumpFilter, '0');
}

/** What nobody caught is told like any other error: without its text, which may hold a row. `tell` gives the exit code; the process ends at once. */
export function tellUncaught(tell: (error: unknown) => number): void {
  process.on('uncaughtException', (error: unknown) => process.exit(tell(error)));
}
