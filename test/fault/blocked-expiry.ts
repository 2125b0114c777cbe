// `bauta expire --withdraw` composed as the command line composes it, that stops at one step of the target, or at `outcome`, before the log has the
// attestation: `node blocked-expiry.js PIPELINE PLACE VERSION`.
import { writeSync } from 'node:fs';

import { compose } from '../../src/cli/compose.js';
import { newRunId } from '../../src/kernel/ids.js';
import { expire } from '../../src/pipeline/expire.js';

const [file = '', place = '', version = ''] = process.argv.slice(2);

function stay(): Promise<void> {
  setInterval(() => undefined, 1000);
  writeSync(1, `at ${place}\n`);
  return new Promise(() => undefined);
}

const { doors, request, verifiers } = await compose({ file, onStep: (step) => (step === place ? stay() : undefined) });
const { name: pipeline, target } = request.pipeline.body;
const seeDropped = doors.target.seeDropped.bind(doors.target);
doors.target.seeDropped = async (steps) => {
  const seen = await seeDropped(steps);
  if (place === 'outcome') await stay();
  return seen;
};
await expire(doors, {
  ...{ pipeline, target, verifiers, newId: () => newRunId(Date.now()) },
  withdraw: { version: Number(version), reason: 'a test' },
});
