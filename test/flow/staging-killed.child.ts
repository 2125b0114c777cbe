// A run in a process of its own, killed by itself at the step it is told: `node staging-killed.child.js URL STEP`.
import { systemClock } from '../../src/kernel/clock.js';
import { PostgresTarget } from '../../src/systems/postgres/target/target.js';
import { logSigner, smallSchema, stage } from '../support/target-world.js';

const [url = '', step = ''] = process.argv.slice(2);
let loads = 0;
const target = new PostgresTarget({
  connection: { name: 'env:TARGET', url },
  schemaStatements: () => smallSchema,
  clock: systemClock,
  verifiers: [logSigner.verifier],
  onStep: (at) => {
    // The second load begins while the first is under way: the table is cut in its middle.
    if (at === step && (at !== 'data.load' || ++loads === 2)) process.kill(process.pid, 'SIGKILL');
  },
});
const { publish } = await stage(target);
await publish();
