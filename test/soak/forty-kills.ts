// What goes through a broker is killed at random: node dist-test/test/soak/forty-kills.js [KILLS] [SEED] [MODE]. Exit code 1: a promise did not hold.
// MODE `command` (as when it is left out): runs of the command line, their agent, and half as often the broker. `rows`: runs of rows, and the broker
// each third time. `workers`: workers of a service. `three`: one of three brokers, which no run may notice.
import { killRows } from './kill-rows.js';
import { killStreamWorkers } from './kill-stream-workers.js';
import { killOneOfThree, killStreams } from './kill-streams.js';

const [kills, seed, mode = 'command'] = [Number(process.argv[2] ?? 20), Number(process.argv[3] ?? Date.now() % 1_000_000), process.argv[4]];
const kill = {
  command: () => killStreams({ service: kills, agent: kills, broker: Math.ceil(kills / 2) }, seed),
  rows: () => killRows(kills, seed),
  three: () => killOneOfThree(kills, seed),
  workers: () => killStreamWorkers(kills, seed),
}[mode];
if (!kill) throw new Error(`there is no mode ${mode}`);
process.stdout.write(`seed ${seed}\n`);
const result: { readonly broken: readonly string[] } = await kill();
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
process.exitCode = result.broken.length === 0 ? 0 : 1;
