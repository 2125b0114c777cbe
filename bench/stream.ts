// The reference data through a broker beside direct delivery, service and agents as processes of their own, one after the other in one run: from the start
// of the service's process to the target that is published. BROKER: kafka://127.0.0.1:PORT
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { packageFile } from '../src/kernel/package-root.js';
import { exitForHelp, option } from './help.js';
import { type Figures, follow, measure } from './process-figures.js';
import { load, makeRoles, startBench, urlAs } from './reference.js';
import { Agents } from './stream-agents.js';

exitForHelp(`Usage: node dist/bench/stream.js BROKER [--scale N] [--agents N,N] [--tables N,N] [--stopped SECONDS]

The reference data by direct delivery, then through the broker and an agent; seconds, their ratio, and the bytes on the wire.
  --agents 1,2     instead: through the broker to so many agents, each with a server of its own; rows/s, CPU and peak memory of each
  --tables 1,2,4   instead: the customers in four tables alike, so many of them at once; with --agents each of both
  --stopped 10     with one of both: every run once more, its agents stopped (SIGSTOP) for so long from its start`);

const url = process.argv[2] ?? '';
const scale = option('--scale', 1);
const [agentCounts, tableCounts, stoppedSeconds] = [list('--agents'), list('--tables'), option('--stopped', 0)];
// As deploy/Dockerfile sets it, or not.
const allocator = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('MALLOC_')));
const place = { prefix: `bench${process.pid}`, workspace: 'local', environment: 'bench' };
const folder = mkdtempSync(join(tmpdir(), 'bauta-bench-'));
const home = join(folder, 'home');
const bench = await startBench();
const agents = new Agents({ url, place, home, folder, bench, allocator });
const workload = packageFile('bench', 'workload');
try {
  await makeRoles(bench);
  await load(bench, 'large', scale);
  const text = readFileSync(join(workload, 'pipeline.yaml'), 'utf8');
  const classification = readFileSync(join(workload, 'classification.yaml'), 'utf8');
  writeFileSync(join(folder, 'classification.yaml'), classification);
  if (tableCounts) writeFileSync(join(folder, 'classification.yaml'), await cutIntoFour(classification));
  await bench.sql('postgres', 'CHECKPOINT');
  await (agentCounts || tableCounts ? compareWidths(text) : compareWithDirect(text));
} finally {
  await agents.stop();
  await bench.server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function compareWithDirect(text: string): Promise<void> {
  const direct = join(folder, 'direct.yaml');
  writeFileSync(direct, text);
  await agents.have(1);
  const one = await run(direct);
  const other = await run(toStream(text, 1));
  const wire = /told: (.*)/.exec(other.said)?.[1] ?? 'nothing on the wire';
  process.stdout.write(`direct ${one.seconds.toFixed(1)} s, through the broker ${other.seconds.toFixed(1)} s, `);
  process.stdout.write(`ratio ${(other.seconds / one.seconds).toFixed(2)}; ${wire}; ${/peak memory [\d.]+ MB/.exec(other.said)?.[0]}\n`);
}

async function compareWidths(text: string): Promise<void> {
  const counted = await bench.sql('large', 'SELECT sum(n_live_tup)::int AS rows FROM pg_stat_user_tables');
  const rows = Number(counted[0]?.['rows']);
  for (const count of [...(agentCounts ?? [1])].sort((a, b) => a - b)) {
    await agents.have(count);
    for (const tables of tableCounts ?? [undefined])
      for (const seconds of stoppedSeconds > 0 ? [0, stoppedSeconds] : [0]) {
        const looking = agents.all.map(({ pid }) => measure(pid));
        const ran = await run(toStream(text, count), toWidth(tables), seconds);
        const figures = looking.map((look) => look());
        const what = `agents ${count}${tables === undefined ? '' : `, tables at once ${tables}`}${seconds > 0 ? `, agents stopped for ${seconds} s` : ''}`;
        const speed = `${ran.seconds.toFixed(1)} s, ${Math.round(rows / ran.seconds).toLocaleString('en')} rows/s`;
        process.stdout.write(`${what}: ${speed}; service ${toText([ran.service])}; agents ${toText(figures)}\n`);
      }
  }
}

function toText(all: readonly Figures[]): string {
  const each = (show: (one: Figures) => string): string => all.map(show).join(' and ');
  return `${each(({ cpuSeconds }) => cpuSeconds.toFixed(1))} s CPU, ${each(({ peakMB }) => peakMB.toFixed(0))} MB at the peak`;
}

/** A table is one range: how many are under way is how many tables are. */
function toWidth(tables: number | undefined): Readonly<Record<string, string>> {
  if (tables === undefined) return {};
  return { BAUTA_EXTRACT_CONNECTIONS: String(tables), BAUTA_LOAD_CONNECTIONS: String(tables), BAUTA_RANGE_BYTES: String(2 ** 40) };
}

/** As many rows in all, and one shape, so that widths differ in nothing else. Returns their classification. */
async function cutIntoFour(classification: string): Promise<string> {
  const names = [0, 1, 2, 3].map((n) => `customers${n}`);
  await bench.sql('large', 'DROP TABLE orders');
  for (const [n, name] of names.entries()) {
    await bench.sql('large', `CREATE TABLE ${name} (LIKE customers INCLUDING ALL)`);
    await bench.sql(
      'large',
      `INSERT INTO ${name} SELECT * FROM customers WHERE width_bucket(id, 1, (SELECT max(id) + 1 FROM customers), 4) = ${n + 1}`,
    );
  }
  await bench.sql('large', 'DROP TABLE customers');
  await bench.sql('large', 'ANALYZE');
  const [head = '', customers = ''] = /^([\s\S]*?tables:\n)([\s\S]*?)(?= {2}public\.orders:)/.exec(classification)?.slice(1) ?? [];
  return head + names.map((name) => customers.replace('public.customers:', `public.${name}:`)).join('');
}

function toStream(text: string, count: number): string {
  const kafka = `kafka: { prefix: ${place.prefix}, database: streamed, topics: create, replication: 1, partitions: 4, agents: ${count} }`;
  const file = join(folder, 'stream.yaml');
  writeFileSync(
    file,
    text.replace(/connection: env:TARGET_URL/, `connection: env:BROKER_URL\n  ${kafka}`).replace(/^ {2}sameServer:.*\n/m, ''),
  );
  return file;
}

interface Ran {
  readonly seconds: number;
  readonly said: string;
  readonly service: Figures;
}

async function run(file: string, more: Readonly<Record<string, string>> = {}, stopped = 0): Promise<Ran> {
  const begun = performance.now();
  const urls = { SOURCE_URL: urlAs(bench, 'source', 'large'), TARGET_URL: urlAs(bench, 'target', 'direct'), BROKER_URL: url };
  const env = { PATH: process.env['PATH'], TMPDIR: tmpdir(), BAUTA_HOME: home, ...allocator, ...urls, ...more };
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  const child = spawn(process.execPath, [packageFile('dist', 'src', 'cli.js'), 'run', '-f', file], { env, stdio: [...stdio] });
  const service = follow(child.pid ?? 0);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (said += part));
  const goOn = (): void => agents.all.forEach((agent) => agent.signal('SIGCONT'));
  if (stopped > 0) agents.all.forEach((agent) => agent.signal('SIGSTOP'));
  const waking = setTimeout(goOn, stopped * 1000);
  const closed = new Promise((resolve) => child.once('close', resolve));
  let figures: Figures;
  let code: unknown;
  try {
    code = await Promise.race([closed, agents.lost]);
  } finally {
    clearTimeout(waking);
    goOn();
    figures = service();
    child.kill('SIGKILL');
  }
  if (code !== 0) throw new Error(said);
  return { seconds: (performance.now() - begun) / 1000, said, service: figures };
}

/** Numbers with commas between them, after a word of the command line. */
function list(name: string): readonly number[] | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : (process.argv[at + 1] ?? '').split(',').map(Number);
}
