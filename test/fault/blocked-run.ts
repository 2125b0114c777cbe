// A run composed as the command line composes it, that stops for ever at one place and says so: `node blocked-run.js PIPELINE PLACE`.
import { writeSync } from 'node:fs';

import { compose } from '../../src/cli/compose.js';
import { BautaError } from '../../src/kernel/errors.js';
import { provision } from '../../src/pipeline/pipeline.js';

const [file = '', place = ''] = process.argv.slice(2);
const [kind, name = ''] = place.split(':');

/** The event loop goes on: what is under way beside the blocked call stays under way. */
function stay(): Promise<never> {
  writeSync(1, `at ${place}\n`);
  return new Promise(() => setInterval(() => undefined, 1000));
}

/** Nothing in this process moves any more. */
function freeze(): void {
  writeSync(1, `at ${place}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

let batches = 0;
const composed = await compose({ file, onStep: (step) => (kind === 'step' && step === name ? stay() : undefined) });
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
