// Decisions of the gate beside `opa run --server` with the same rules and the same question: CPU time of each decision, in one run, so that what counts is a
// ratio. Usage: node dist/bench/policy.js [--columns N]
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';

import { packageFile } from '../src/kernel/package-root.js';
import { openPolicy } from '../src/systems/opa/opa.js';
import { exitForHelp } from './help.js';

exitForHelp(`Usage: node dist/bench/policy.js [--columns N]

CPU time of a decision of the gate, in its thread, beside that of opa run --server (opa on PATH) with the same rules and question.

  --columns N   of the plan that is asked about (1)`);

const at = process.argv.indexOf('--columns');
const columns = at < 0 ? 1 : Number(process.argv[at + 1]);
const decisions = Math.max(200, Math.floor(8000 / columns));
const atOnce = 16;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const column = { table: 't', path: null, component: 0, unique: true, uniqueness: 'preserved', tag: 'pii.email', transform: 'email' };
const input = { version: 1, columns: Array.from({ length: columns }, (_, position) => ({ ...column, column: `c${position}` })) };

/** Calls in turns of as many at once; seconds of wall. */
async function drive(call: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  for (let done = 0; done < decisions; done += atOnce) await Promise.all(Array.from({ length: atOnce }, call));
  return (performance.now() - before) / 1000;
}

async function measureOwn(): Promise<number> {
  const policy = await openPolicy({ timeLimitMs: 60_000 });
  await drive(() => policy.decide(input));
  const before = process.cpuUsage();
  const seconds = await drive(() => policy.decide(input));
  const { user, system } = process.cpuUsage(before);
  await policy.close();
  return tell('bauta, in its thread', (user + system) / decisions, seconds);
}

function tell(who: string, cpuUs: number, seconds: number): number {
  say(`${who.padEnd(24)} ${cpuUs.toFixed(0).padStart(8)} µs of CPU a decision ${(decisions / seconds).toFixed(0).padStart(8)} decisions/s`);
  return cpuUs;
}

/** Clock ticks of a process, of which Linux has a hundred a second. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function measureOpa(): Promise<number> {
  const port = 18_181;
  const words = ['run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error', 'policies'];
  const child = spawn('opa', words, { cwd: packageFile('.'), stdio: 'ignore' });
  try {
    const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
    const body = JSON.stringify({ input });
    const call = (): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const sent = request({ agent, port, host: '127.0.0.1', method: 'POST', path: '/v1/data/gate/provision/decision' }, (response) =>
          response.resume().once('end', () => resolve(response.statusCode)),
        );
        sent.once('error', reject);
        sent.end(body);
      });
    for (let round = 0; round < 100 && (await call().catch(() => 0)) !== 200; round++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    await drive(call);
    const before = ticksOf(child.pid ?? 0);
    const seconds = await drive(call);
    return tell('opa run --server', ((ticksOf(child.pid ?? 0) - before) * 10_000) / decisions, seconds);
  } finally {
    child.kill();
  }
}

say(`a plan of ${columns} columns, ${decisions} decisions, ${atOnce} at once`);
const [own, opa] = [await measureOwn(), await measureOpa()];
say(`opa takes ${(opa / own).toFixed(1)} times the CPU`);
