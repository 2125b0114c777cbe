// A run composed as the command line composes it, that stops at one place and says so: `node blocked-run.js PIPELINE PLACE`. `abort:STEP` is no stay:
// the run is cancelled at that step.
import { writeSync } from 'node:fs';

import { compose } from '../../src/cli/compose.js';
import { BautaError, toError } from '../../src/kernel/errors.js';
import { provision } from '../../src/pipeline/pipeline.js';

// Who waits for minutes waits for seconds.
const [hurry, now] = [Number(process.env['HURRY'] ?? 1), performance.now.bind(performance)];
performance.now = () => now() * hurry;

const [file = '', place = ''] = process.argv.slice(2);
const [kind, name = ''] = place.split(':');

/** The event loop goes on: what is under way beside the blocked call stays under way. SIGUSR2 lets the call go on too. */
function stay(): Promise<void> {
  const timer = setInterval(() => undefined, 1000);
  const resumed = new Promise<void>((resolve) => process.once('SIGUSR2', () => resolve()));
  writeSync(1, `at ${place}\n`);
  return resumed.then(() => clearInterval(timer));
}

/** Nothing in this process moves any more. */
function freeze(): void {
  writeSync(1, `at ${place}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

let batches = 0;
let stayed = false;
/** Once: who comes to the same step afterwards goes on. */
function stayOnce(): Promise<void> | undefined {
  if (stayed) return undefined;
  stayed = true;
  return stay();
}
const stop = new AbortController();
const composed = await compose({
  file,
  signal: stop.signal,
  onStep: (step) => {
    if (kind === 'abort' && step === name) stop.abort(toError('RUN_CANCELLED'));
    return kind === 'step' && step === name ? stayOnce() : undefined;
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
