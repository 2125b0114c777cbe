// `node dist-test/test/soak/ten-minutes.js [SECONDS]`: the soak as long as the promise says, and its result as JSON. Exit code 1: it did not hold.
import { soak } from './soak.js';

const result = await soak({ seconds: Number(process.argv[2] ?? 600), periodSeconds: 10, pauseMs: [1000, 5000] });
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
const { lost, doubled, left, states, runs, log } = result;
const holds =
  lost.length + doubled.length + left.length + log.gaps + log.waiting + log.untold.length === 0 &&
  log.verified === 0 &&
  states['published'] === runs &&
  runs > 0;
process.exitCode = holds ? 0 : 1;
