// A run composed as the command line composes it, that stops at one place and says so: `node blocked-run.js PIPELINE PLACE`. `step:A+B` stops at B too.
// `abort:STEP` is no stay: the run is cancelled at that step.
import { writeSync } from 'node:fs';

import { compose } from '../../src/cli/compose.js';
import { BautaError, toError } from '../../src/kernel/errors.js';
import { provision } from '../../src/pipeline/pipeline.js';

// From its stay on, who waits for minutes waits for seconds.
const [hurry, now] = [Number(process.env['HURRY'] ?? 1), performance.now.bind(performance)];
let stayedAt = Infinity;
performance.now = () => now() + Math.max(now() - stayedAt, 0) * (hurry - 1);

const [file = '', place = ''] = process.argv.slice(2);
const [kind, name = ''] = place.split(':');

/** The event loop goes on: what is under way beside the blocked call stays under way. SIGUSR2 lets the call go on too. */
function stay(at = place): Promise<void> {
  stayedAt = Math.min(stayedAt, now());
  const timer = setInterval(() => undefined, 1000);
  const resumed = new Promise<void>((resolve) => process.once('SIGUSR2', () => resolve()));
  writeSync(1, `at ${at}\n`);
  return resumed.then(() => clearInterval(timer));
}

/** Nothing in this process moves any more. */
function freeze(): void {
  writeSync(1, `at ${place}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

let batches = 0;
const [first = '', ...others] = name.split('+');
const ahead = new Set([first, ...others]);
/** Once at each: who comes to the same step afterwards goes on. */
function stayOnce(step: string): Promise<void> | undefined {
  return ahead.delete(step) ? stay(step === first ? place : `step:${step}`) : undefined;
}
const stop = new AbortController();
const composed = await compose({
  file,
  signal: stop.signal,
  onStep: (step) => {
    if (kind === 'abort' && step === name) stop.abort(toError('RUN_CANCELLED'));
    return kind === 'step' ? stayOnce(step) : undefined;
  },
});
const { summary, error } = await provision(composed.doors, composed.request, composed.run, {
  border: (border) => (kind === 'border' && border === name ? stay() : undefined),
  moved: () => {
    batches += 1;
    if (kind === 'moved' && batches === Number(name)) freeze();
  },
  built: (done) => {
    if (kind === 'built' && done === Number(name)) freeze();
  },
});
await composed.close();
process.stdout.write(`${summary.state} ${error instanceof BautaError ? error.code : ''}\n`);
