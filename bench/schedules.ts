// A thousand schedules that are due in the same minute, until all their runs are queued; beside it the ceiling in the same run: a thousand bare
// inserts of a run and its job, each in a transaction of its own, over as many sessions. On an embedded Postgres with fsync, as `npm start` has it.
// Usage: node dist/bench/schedules.js [--json] [--schedules N]
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';

import { prepareDatabase } from '../src/control/metadata-server.js';
import { Scheduler } from '../src/control/schedules/schedules.js';
import { systemClock } from '../src/kernel/clock.js';
import { Metadata, migrate } from '../src/systems/metadata/metadata.js';
import { migrateQueue } from '../src/systems/queue/queue.js';
import { startEmbedded } from '../src/systems/postgres/embedded.js';
import { exitForHelp } from './help.js';

exitForHelp(`Usage: node dist/bench/schedules.js [--json] [--schedules N]

How long it takes until the runs of schedules that are due in the same minute are queued, with one replica and with three.

  --json          one object instead of the table
  --schedules N   how many (1000)`);

const at = process.argv.indexOf('--schedules');
const count = at < 0 ? 1000 : Number(process.argv[at + 1]);
const SESSIONS = 4;

interface Taken {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function timed(work: () => Promise<unknown>): Promise<Taken> {
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - begun) / 1000, cpuSeconds: (user + system) / 1e6 };
}

const home = mkdtempSync(join(tmpdir(), 'bauta-bench-'));
chmodSync(home, 0o755);
const server = await startEmbedded({ keep: { folder: join(home, 'postgres'), password: 'bench' } });
try {
  const urls = await prepareDatabase({ name: 'metadata', url: server.url('postgres') }, server.port, 'bench');
  await migrate(urls.owner, { beside: () => migrateQueue(urls.owner) });
  const admin = new pg.Client({ connectionString: server.url('bench') });
  await admin.connect();
  const documents = (kind: string, written: string): string =>
    `INSERT INTO bauta.document (workspace_id, kind, name, version, digest, written, author_id)
     SELECT w.id, '${kind}', 'shop-' || i, 1, 'sha256:0', (${written})::json, p.id
     FROM bauta.workspace w JOIN bauta.person p ON p.workspace_id = w.id, generate_series(1, ${count}) i`;
  await admin.query(`INSERT INTO bauta.person (workspace_id, name) SELECT id, 'ada' FROM bauta.workspace`);
  await admin.query(documents('Pipeline', `'{"kind":"Pipeline","name":"shop-' || i || '","classification":"shop-' || i || '","source":"env:BAUTA_CONN_S","target":{"connection":"env:BAUTA_CONN_T","environment":"dev"}}'`)); // prettier-ignore
  await admin.query(documents('Classification', `'{"kind":"Classification","name":"shop-' || i || '","tables":{}}'`));
  await admin.query(
    documents('Schedule', `'{"kind":"Schedule","name":"shop-' || i || '","pipeline":"shop-' || i || '","cron":"* * * * *"}'`),
  );
  const makeDue = (): Promise<unknown> =>
    admin.query(`
      DELETE FROM bauta.schedule; DELETE FROM bauta.run_event; DELETE FROM bauta.run; DELETE FROM graphile_worker._private_jobs;
      INSERT INTO bauta.schedule (workspace_id, name, version, pipeline, overlap, decided_to, next_due_at)
      SELECT w.id, 'shop-' || i, 1, 'shop-' || i, false, date_trunc('minute', now()) - interval '1 minute', date_trunc('minute', now())
      FROM bauta.workspace w, generate_series(1, ${count}) i;
      ANALYZE`);
  const queued = async (): Promise<number> => {
    const { rows } = await admin.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM bauta.run WHERE state = 'queued' AND (SELECT count(*) FROM graphile_worker.jobs) = ${count}`,
    );
    return rows[0]?.n ?? 0;
  };
  const tickWith = async (replicas: number): Promise<Taken> => {
    await makeDue();
    const opened = await Promise.all(Array.from({ length: replicas }, () => Metadata.open(urls.service, 10)));
    const failed = (error: unknown): void => void process.stderr.write(`${String(error)}\n`);
    const taken = await timed(() => Promise.all(opened.map((metadata) => new Scheduler({ metadata, clock: systemClock, failed }).tick())));
    for (const metadata of opened) await metadata.close();
    if ((await queued()) !== count) throw new Error(`not all ${count} runs are queued`);
    return taken;
  };
  const [one, three] = [await tickWith(1), await tickWith(3)];
  const ceiling = await bareInserts(urls.service, admin);
  tell({ schedules: count, ...named('one', one), ...named('three', three), ...named('bareInserts', ceiling) });
  await admin.end();
} finally {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
}

async function bareInserts(url: string, admin: pg.Client): Promise<Taken> {
  const { rows } = await admin.query<{ id: string }>('SELECT id FROM bauta.workspace');
  const workspace = rows[0]?.id;
  await admin.query('DELETE FROM bauta.schedule; DELETE FROM bauta.run_event; DELETE FROM bauta.run');
  let next = 0;
  const work = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    for (let i = next++; i < count; i = next++) {
      await client.query('BEGIN');
      await client.query(`SELECT set_config('bauta.workspace', $1, true)`, [workspace]);
      await client.query(`INSERT INTO bauta.run (id, workspace_id, pipeline, documents) VALUES ($1, $2, $3, '[]')`, [`bare${i}`, workspace, `shop-${i}`]); // prettier-ignore
      await client.query(`SELECT FROM graphile_worker.add_job('provision', '{}'::json, job_key := $1)`, [`bare${i}`]);
      await client.query('COMMIT');
    }
    await client.end();
  };
  return timed(() => Promise.all(Array.from({ length: SESSIONS }, work)));
}

function named(name: string, { seconds, cpuSeconds }: Taken): Readonly<Record<string, number>> {
  return { [`${name}Seconds`]: seconds, [`${name}CpuSeconds`]: cpuSeconds };
}

function tell(figures: Readonly<Record<string, number>>): void {
  if (process.argv.includes('--json')) return void process.stdout.write(`${JSON.stringify(figures)}\n`);
  for (const [name, figure] of Object.entries(figures))
    process.stdout.write(`${name.padEnd(26)} ${figure.toLocaleString('en', { maximumFractionDigits: 2 })}\n`);
}
