// Runs of the last hundred days as the service would have written them: rows with their documents, summaries, transitions and lines, written as the
// service's own role into the real tables, under their constraints and row-level security; an entry of each goes through the outbox into the log.
import type pg from 'pg';

import { newRunId } from '../src/kernel/ids.js';
import type { ServiceProcess } from './service-process.js';

export const PIPELINES = 50;
const AT_ONCE = 5000;
const DAYS = 100;
const ways: Readonly<Record<string, readonly string[]>> = {
  published: ['queued', 'planning', 'extracting', 'building', 'verifying', 'publishing', 'published'],
  withheld: ['queued', 'planning', 'extracting', 'building', 'verifying', 'withheld'],
  failed: ['queued', 'planning', 'extracting', 'failed'],
  cancelled: ['queued', 'planning', 'cancelled'],
  denied: ['queued', 'planning', 'denied'],
};
const endings = [...Array<string>(45).fill('published'), 'withheld', 'failed', 'failed', 'cancelled', 'denied'];

/** Documents of so many pipelines, each with a classification and a schedule that is not due while we measure. */
export async function applyDocuments({ ask }: ServiceProcess): Promise<void> {
  const texts = Array.from({ length: PIPELINES }, (_, i) =>
    [
      pipelineText(`shop-${i}`, 'env:BAUTA_CONN_NOWHERE', 'env:BAUTA_CONN_NOWHERE'),
      `kind: Classification\nname: shop-${i}\ntables:\n  app.person:\n    columns: { id: pii.key, email: pii.email, born: pii.date-of-birth }\n`,
      `kind: Schedule\nname: shop-${i}\npipeline: shop-${i}\ncron: '0 3 1 1 *'\n`,
    ].join('---\n'),
  );
  await ask('POST', '/v1/apply', texts.join('---\n'), 'application/yaml');
}

function pipelineText(name: string, source: string, target: string): string {
  return `kind: Pipeline
name: ${name}
source: { connection: '${source}', region: eu-central-1 }
target: { connection: '${target}', environment: dev, class: dev, region: eu-central-1, allows: [pii] }
classification: ${name}
purpose: a benchmark
owner: team-bauta
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 30
`;
}

/** So many runs that have ended. Their statistics are gathered, as autovacuum would have done in that time. */
export async function storeRuns({ database }: ServiceProcess, count: number): Promise<void> {
  const { rows } = await database.query<{ id: string }>(`SELECT id FROM bauta.person WHERE name = 'bob'`);
  for (let from = 0; from < count; from += AT_ONCE)
    await storeBatch(database, rows[0]?.id ?? '', from, Math.min(AT_ONCE, count - from), count);
  // As if each schedule had asked for the newest run of its pipeline.
  await database.query(`UPDATE bauta.schedule s SET last_run_id = (SELECT max(r.id) FROM bauta.run r WHERE r.pipeline = s.pipeline)`);
  await database.query('RESET ROLE');
  await database.query('VACUUM (ANALYZE)');
  await database.query('SET ROLE bauta_service');
}

/** Everything of them is in the log. */
export async function waitUntilSequenced({ database }: ServiceProcess): Promise<void> {
  const waiting = async (): Promise<number> =>
    (await database.query<{ entries: number }>('SELECT entries::int FROM bauta.outbox_lag()')).rows[0]?.entries ?? 0;
  while ((await waiting()) > 0) await new Promise((resolve) => setTimeout(resolve, 200));
}

async function storeBatch(database: pg.Client, person: string, from: number, many: number, count: number): Promise<void> {
  const stepMs = (DAYS * 86_400_000) / count;
  const beganMs = Date.now() - DAYS * 86_400_000;
  const at = Array.from({ length: many }, (_, i) => beganMs + (from + i) * stepMs);
  const columns = [
    at.map((ms) => newRunId(Math.floor(ms))),
    at.map((ms) => new Date(ms).toISOString()),
    at.map((_, i) => `shop-${(from + i) % PIPELINES}`),
    at.map((_, i) => endings[(from + i * 7) % endings.length]),
  ];
  await database.query('BEGIN');
  await database.query(insertRuns, [...columns, person]);
  for (const [state, way] of Object.entries(ways)) await database.query(insertSteps, [columns[0], state, way]);
  await database.query(insertLines, [columns[0]]);
  await database.query(insertApprovals, [columns[0]]);
  await database.query(insertEntries, [columns[0]]);
  await database.query('COMMIT');
}

const workspace = 'bauta.current_workspace()';

/** Of five runs one was asked for by a person, the others by the schedule. */
const insertRuns = `
  INSERT INTO bauta.run (id, workspace_id, pipeline, documents, environment, state, requested_by, due_at, cause, source, tags, created_at, started_at,
    ended_at, moved_rows, moved_bytes, summary)
  SELECT t.id, ${workspace}, t.pipeline,
    json_build_array(json_build_object('kind', 'Pipeline', 'name', t.pipeline, 'version', 1),
      json_build_object('kind', 'Classification', 'name', t.pipeline, 'version', 1)),
    'dev', t.state, CASE WHEN t.n % 5 = 0 THEN $5::uuid END, CASE WHEN t.n % 5 > 0 THEN t.at END,
    CASE WHEN t.n % 5 > 0 THEN json_build_object('kind', 'Schedule', 'name', t.pipeline, 'version', 1) END,
    'env:BAUTA_CONN_NOWHERE', '{pii}', t.at, t.at + interval '40 milliseconds', t.at + interval '5 minutes',
    1000 * (t.n % 900), 90000 * (t.n % 900),
    json_build_object('runId', t.id, 'state', t.state, 'dataset', json_build_object('target', 'copy', 'version', t.n, 'planDigest', 'sha256:' || repeat('0', 64)),
      'tables', (SELECT json_agg(json_build_object('name', 'app.table_' || k, 'rows', 1000 * k, 'bytes', 90000 * k, 'seconds', 0.5)) FROM generate_series(1, 12) k),
      'findings', '[]'::json, 'verdicts', (SELECT json_agg(json_build_object('schema', 'app', 'table', 'table_' || k, 'column', 'email', 'tag', 'pii.email',
        'verdict', 'held', 'originals', 0, 'compared', 1000 * k)) FROM generate_series(1, 12) k),
      'decision', json_build_object('allow', true, 'reasons', '[]'::json), 'seconds', 298.5, 'rowsPerSecond', 41000, 'peakRssBytes', 280000000,
      'checkpoint', json_build_object('origin', 'bauta', 'size', t.n, 'root', repeat('A', 44)))
  FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[]) WITH ORDINALITY AS t (id, at, pipeline, state, n)`;

const insertSteps = `
  INSERT INTO bauta.run_event (workspace_id, run_id, seq, at, state, attempt, rows, bytes)
  SELECT ${workspace}, r.id, s.seq, r.created_at + s.seq * interval '40 seconds', s.state, 1,
    CASE WHEN s.state = 'building' THEN r.moved_rows END, CASE WHEN s.state = 'building' THEN r.moved_bytes END
  FROM bauta.run r, unnest($3::text[]) WITH ORDINALITY AS s (state, seq) WHERE r.id = ANY ($1) AND r.state = $2`;

const insertLines = `
  INSERT INTO bauta.run_line (workspace_id, run_id, at, attempt, state, text)
  SELECT ${workspace}, r.id, r.created_at + k * interval '20 seconds', 1, 'extracting', 'deliver: table.loaded, schema app, table table_' || k || ', rows ' || 1000 * k
  FROM bauta.run r, generate_series(1, 8) k WHERE r.id = ANY ($1)`;

/** One run of twenty had to be approved of. */
const insertApprovals = `
  INSERT INTO bauta.approval (workspace_id, kind, state, digest, subject, environments, run_id, requested_at, expires_at)
  SELECT ${workspace}, 'run', 'used', 'sha256:' || repeat('0', 64), '{}', '{dev}', r.id, r.created_at, r.created_at + interval '3 days'
  FROM bauta.run r, unnest($1::text[]) WITH ORDINALITY AS t (id, n) WHERE r.id = t.id AND t.n % 20 = 0`;

const insertEntries = `
  INSERT INTO bauta.outbox (workspace_id, event)
  SELECT ${workspace}, json_build_object('type', 'run.' || r.state, 'at', to_char(r.ended_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'data', json_build_object('run', r.id, 'from', 'publishing', 'attempt', 1))
  FROM bauta.run r WHERE r.id = ANY ($1)`;
