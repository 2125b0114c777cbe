// `bauta rollback` composed as the command line composes it, that stops at one step of the target, or at `outcome`, before the log has it:
// `node blocked-rollback.js PIPELINE PLACE`.
import { writeSync } from 'node:fs';

import { compose } from '../../src/cli/compose.js';
import { rollBack } from '../../src/pipeline/roll-back.js';

const [file = '', place = ''] = process.argv.slice(2);

function stay(): Promise<void> {
  setInterval(() => undefined, 1000);
  writeSync(1, `at ${place}\n`);
  return new Promise(() => undefined);
}

const { doors, request, run } = await compose({ file, onStep: (step) => (step === place ? stay() : undefined) });
const rollback = doors.target.rollback.bind(doors.target);
doors.target.rollback = async (permit) => {
  const version = await rollback(permit);
  if (place === 'outcome') await stay();
  return version;
};
await rollBack(doors, { id: run.id, environment: request.pipeline.body.target.environment, knownSources: request.knownSources });
