// Twenty workers killed, one after the other: node dist-test/test/soak/twenty-kills.js [KILLS] [SEED]. Exit code 1: a promise did not hold.
import { HEARTBEAT_MS, killWorkers } from './kill-workers.js';

const [kills, seed] = [Number(process.argv[2] ?? 20), Number(process.argv[3] ?? Date.now() % 1_000_000)];
const result = await killWorkers(kills, seed);
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
const noticed = result.kills.map(({ noticedMs }) => noticedMs).sort((one, other) => one - other);
process.stdout.write(`noticed after ${noticed.join(', ')} ms, two heartbeats are ${2 * HEARTBEAT_MS} ms\n`);
const { log, unpublished, publications, jobsLeft, stagingLeft, versions } = result;
const whole = log.leaves === log.size && log.waiting === 0 && log.findings.length === 0;
const once =
  publications.every((times) => times === 1) && Object.values(versions).every(({ told }) => told.every((one, i) => one === i + 1));
process.exit(whole && once && unpublished.length + jobsLeft + stagingLeft.length === 0 ? 0 : 1);
