// The rows encoding beside its ceiling: COPY text in memory to records acknowledged by a broker, in one transaction, and kafka-producer-perf-test from the same
// jars with records of the same size, to the same broker, with acks=all and idempotence. Best of some rounds each, one after the other in one run.
// Usage: node dist/bench/rows.js JARS [--json] [--rows N] [--rounds N] [--format json|connect-json]     (JARS: what test/support/kafka/build prints)
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Masked } from '../src/pipeline/batch.js';
import type { Catalogue, DataType } from '../src/pipeline/catalogue.js';
import type { Plan } from '../src/pipeline/plan.js';
import { openBroker, resolveBroker } from '../src/systems/kafka/kafka.js';
import { RowsOutlet } from '../src/systems/kafka/stream/rows-outlet.js';
import { usualChoices } from '../src/systems/kafka/wire/rows/rows.js';

const word = (name: string, fallback: string): string => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : (process.argv[at + 1] ?? fallback);
};
const jars = process.argv[2] ?? '';
const rows = Number(word('rows', '200000'));
const rounds = Number(word('rounds', '3'));
const format = word('format', 'json') as 'json' | 'connect-json';
const partitions = 4;

const type = (base: string): DataType => ({ display: base, kind: 'base', base, deterministicCollation: true });
const columns = (
  ['id int8', 'email text', 'name text', 'street text', 'born date', 'seen timestamptz', 'balance numeric', 'note text'] as const
).map((text, at) => ({ name: text.split(' ')[0] ?? '', type: type(text.split(' ')[1] ?? ''), notNull: at === 0, attnum: at + 1 }));
const table = { schema: 'app', name: 'person', columns, constraints: [{ kind: 'p', columns: ['id'] }], loadInto: { schema: 'app', name: 'person' }, estimatedRows: 0, bytes: 0 }; // prettier-ignore
const lines = Array.from(
  { length: rows },
  (_, i) =>
    `${i}\tanna.${i}@example.com\tAnna Example ${i}\t${i % 200} Example Street\t1980-01-02\t2024-01-01 10:11:12.345678+00\t${i}.25\tasked for "a call" on Monday, and again\\nsome days later; said that nothing had come by then, item ${i}\n`,
);

async function* batches(): AsyncGenerator<Masked> {
  await Promise.resolve();
  for (let from = 0, sequence = 0; from < rows; from += 1200, sequence++)
    yield { table: 0, range: 0, sequence, bytes: Buffer.from(lines.slice(from, from + 1200).join('')), rows: 0 } as unknown as Masked;
}

async function writeRows(url: string, round: number): Promise<{ readonly perSecond: number; readonly recordBytes: number }> {
  const broker = await openBroker(await resolveBroker('bench', url, () => Promise.resolve(undefined)));
  const plan = { tables: [table], source: { database: 'bench' } } as unknown as Plan;
  const outlet = new RowsOutlet(
    { runId: `run-${round}`, plan, streams: [1] },
    {
      ...{ broker, place: { workspace: 'local', environment: `bench${round}` }, catalogue: { tables: [table] } as unknown as Catalogue, format, choices: usualChoices },
      ...{ version: '1.0.0', atMs: Date.now(), nowMs: Date.now(), partitions, retentionMs: 3_600_000, readers: [] },
    },
  ); // prettier-ignore
  await outlet.begin();
  const begun = performance.now();
  const { records, wireBytes } = await outlet.write(0, 0, batches());
  const seconds = (performance.now() - begun) / 1000;
  await outlet.commit({ tell: () => Promise.resolve(), sign: () => ({ topic: '', records: [] }) });
  await broker.close();
  return { perSecond: records / seconds, recordBytes: Math.round(wireBytes / records) };
}

/** Records a second of the whole run, as it says at its end. */
function perfTest(address: string, recordBytes: number, round: number): number {
  const words = ['-Xmx512m', '-cp', `${jars}/*`, 'org.apache.kafka.tools.ProducerPerformance'];
  const said = execFileSync(
    'java',
    [
      ...words,
      ...[
        '--topic',
        `perf${round}`,
        '--num-records',
        String(rows),
        '--record-size',
        String(recordBytes),
        '--throughput',
        '-1',
        '--producer-props',
      ],
      ...[
        `bootstrap.servers=${address}`,
        'acks=all',
        'enable.idempotence=true',
        'batch.size=786432',
        'linger.ms=5',
        'max.request.size=2097152',
      ],
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  return Number(/([\d.]+) records\/sec/.exec(said.trim().split('\n').at(-1) ?? '')?.[1]);
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bauta-bench-rows-'));
  const [port, controller] = [await freePort(), await freePort()];
  const file = join(folder, 'server.properties');
  const settings = [
    ...['process.roles=broker,controller', 'node.id=1', `controller.quorum.voters=1@127.0.0.1:${controller}`, 'controller.listener.names=CONTROLLER'],
    ...[`listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`, `log.dirs=${join(folder, 'data')}`],
    ...['offsets.topic.replication.factor=1', 'transaction.state.log.replication.factor=1', 'transaction.state.log.min.isr=1', `num.partitions=${partitions}`],
    'transaction.state.log.num.partitions=1',
  ]; // prettier-ignore
  writeFileSync(file, settings.join('\n'));
  const java = (...words: readonly string[]): string[] => ['-Xmx512m', '-cp', `${jars}/*`, ...words];
  execFileSync('java', java('kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qk', '-c', file), { stdio: 'ignore' });
  const broker = spawn('java', java('kafka.Kafka', file), { stdio: 'ignore' });
  try {
    while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 100));
    let [ours, ceiling, recordBytes] = [0, 0, 0];
    for (let round = 0; round < rounds; round++) {
      const written = await writeRows(`kafka://127.0.0.1:${port}`, round);
      recordBytes = written.recordBytes;
      ours = Math.max(ours, written.perSecond);
      ceiling = Math.max(ceiling, perfTest(`127.0.0.1:${port}`, recordBytes, round));
    }
    const result = { format, recordBytes, rowsPerSecond: Math.round(ours), perfTestPerSecond: Math.round(ceiling), ratio: Math.round((100 * ours) / ceiling) / 100 }; // prettier-ignore
    process.stdout.write(
      process.argv.includes('--json')
        ? `${JSON.stringify(result)}\n`
        : `rows as ${format}, ${recordBytes} bytes a record: ${result.rowsPerSecond} rows/s, ceiling (kafka-producer-perf-test) ${result.perfTestPerSecond} records/s, ratio ${result.ratio}\n`,
    );
  } finally {
    broker.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

await main();
