// Service and agent are killed twenty times each while runs go through a broker, and the broker ten times: node dist-test/test/soak/forty-kills.js
// [KILLS] [SEED]. Exit code 1: a promise did not hold.
import { killStreams } from './kill-streams.js';

const [kills, seed] = [Number(process.argv[2] ?? 20), Number(process.argv[3] ?? Date.now() % 1_000_000)];
process.stdout.write(`seed ${seed}\n`);
const { broken, last, kills: done } = await killStreams({ service: kills, agent: kills, broker: Math.ceil(kills / 2) }, seed);
process.stdout.write(`${JSON.stringify({ seed, kills: done, broken, last }, undefined, 2)}\n`);
process.exitCode = broken.length === 0 ? 0 : 1;
