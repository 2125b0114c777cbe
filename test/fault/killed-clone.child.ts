// A version with a template, a clone of it, and the end of the clone, in a process that kills itself at the step it is told:
// `node killed-clone.child.js URL STEP`.
import { systemClock } from '../../src/kernel/clock.js';
import { newRunId } from '../../src/kernel/ids.js';
import { PostgresTarget } from '../../src/systems/postgres/target/target.js';
import { logSigner, smallSchema, stage, toPlan } from '../support/target-world.js';

const [url = '', step = ''] = process.argv.slice(2);
const target = new PostgresTarget({
  connection: { name: 'env:TARGET', url },
  schemaStatements: () => smallSchema,
  clock: systemClock,
  verifiers: [logSigner.verifier],
  onStep: (at) => {
    if (at === step) process.kill(process.pid, 'SIGKILL');
  },
});
const { publish } = await stage(target, toPlan({ clones: { max: 3, hours: 1 } }));
await publish();
const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
const { clone } = await target.clones.make({ id: newRunId(Date.now()), for: 'pr-1', expiresAt, lastsUntil: expiresAt, max: 3 });
await target.clones.drop(clone.id);
