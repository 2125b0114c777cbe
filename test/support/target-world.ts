// A server with the provisioning role that deploy/target-role.sql makes, and a small plan to deliver to it.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { systemClock } from '../../src/kernel/clock.js';
import type { Finding } from '../../src/kernel/errors.js';
import { newRunId } from '../../src/kernel/ids.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { type Signer, signNote, toSigner } from '../../src/kernel/signed-note.js';
import { Journal } from '../../src/pipeline/audit/audit.js';
import type { Masked } from '../../src/pipeline/batch.js';
import type { Catalogue } from '../../src/pipeline/catalogue.js';
import type { PipelineDefinition } from '../../src/pipeline/definition.js';
import { deliver } from '../../src/pipeline/deliver/deliver.js';
import { toManifest, toMarker, toMarkerRow, toMarkerText } from '../../src/pipeline/marker.js';
import type { ColumnPlan, Plan, TablePlan } from '../../src/pipeline/plan.js';
import type { AuditSink, DatasetVersion, Receipt, Staging } from '../../src/pipeline/ports.js';
import { prune } from '../../src/pipeline/prune.js';
import type { EmbeddedOptions } from '../../src/systems/postgres/embedded.js';
import { PostgresTarget, type PostgresTargetOptions, type SchemaStatements } from '../../src/systems/postgres/target/target.js';
import { MemorySink } from './memory-sink.js';
import { type TestServer, startTestServer } from './server.js';

export interface TargetWorld {
  readonly server: TestServer;
  /** Connection string of the provisioning role. */
  url(database: string): string;
  target(database: string, options?: Partial<PostgresTargetOptions>): PostgresTarget;
}

export async function startTargetWorld(options?: EmbeddedOptions): Promise<TargetWorld> {
  const server = await startTestServer(options);
  await server.sql('postgres', readFileSync(packageFile('deploy', 'target-role.sql'), 'utf8'));
  await server.sql('postgres', `ALTER ROLE bauta_target PASSWORD 'a password'`);
  const url = (database: string): string => toUrl(server.url(database), 'bauta_target');
  return {
    server,
    url,
    target: (database, options) =>
      new PostgresTarget({
        connection: { name: 'env:TARGET', url: url(database) },
        schemaStatements: () => smallSchema,
        clock: systemClock,
        verifiers: [logSigner.verifier],
        ...options,
      }),
  };
}

export function toUrl(superuserUrl: string, role: string): string {
  const made = new URL(superuserUrl);
  made.username = role;
  made.password = 'a password';
  return made.toString();
}

export const smallSchema: SchemaStatements = {
  preData: [
    { sql: 'CREATE EXTENSION citext WITH SCHEMA public', object: 'extension public.citext' },
    { sql: 'CREATE SCHEMA "Sales Dept"', object: 'schema "Sales Dept"' },
    {
      sql: 'CREATE TABLE public.person (id int GENERATED ALWAYS AS IDENTITY, email public.citext NOT NULL, note text)',
      object: 'table person',
    },
    { sql: 'CREATE TABLE "Sales Dept"."order" (id bigint, person_id int, at timestamptz)', object: 'table order' },
  ],
  postData: [
    [
      { sql: 'ALTER TABLE public.person ADD CONSTRAINT person_pkey PRIMARY KEY (id)', object: 'constraint person_pkey' },
      { sql: 'ALTER TABLE "Sales Dept"."order" ADD CONSTRAINT order_pkey PRIMARY KEY (id)', object: 'constraint order_pkey' },
    ],
    [
      {
        sql: 'ALTER TABLE "Sales Dept"."order" ADD CONSTRAINT order_person FOREIGN KEY (person_id) REFERENCES public.person (id)',
        object: 'constraint order_person',
      },
      { sql: `SELECT setval('public.person_id_seq', 100)`, object: 'sequence person_id_seq' },
      { sql: 'CREATE VIEW public.people AS SELECT id FROM public.person', object: 'view people' },
    ],
  ],
};

export const smallCatalogue: Catalogue = {
  server: { version: 150_000, systemIdentifier: '1', database: 'production', databaseOid: 5, encoding: 'UTF8', inRecovery: false },
  schemas: [],
  tables: [],
  objects: [],
};

function toTablePlan(schema: string, name: string, columns: readonly string[]): TablePlan {
  const planned = columns.map((column, at) => ({ attnum: at + 1, name: column }) as unknown as ColumnPlan);
  return { schema, name, oid: 1, kind: 'r', rows: 'all', columns: planned, hidden: [], loadInto: { schema, name } };
}

export const person = toTablePlan('public', 'person', ['id', 'email', 'note']);
export const order = toTablePlan('Sales Dept', 'order', ['id', 'person_id', 'at']);

export function toPlan(target: Partial<PipelineDefinition['target']> = {}, source: Partial<Plan['source']> = {}): Plan {
  return {
    environment: 'test',
    facts: { retentionDays: 30, target: { connection: 'env:TARGET', environment: 'test', class: 'test', allows: ['pii'], ...target } },
    source: { systemIdentifier: '1', databaseOid: 5, database: 'production', ...source },
    tables: [person, order],
  } as unknown as Plan;
}

/** Lines as batches, as the mask stage would hand them on: only a test may claim that they are masked. */
export async function* toBatches(...texts: string[]): AsyncGenerator<Masked, void, undefined> {
  for (const [sequence, text] of texts.entries()) {
    await Promise.resolve();
    yield { table: 0, range: 0, sequence, bytes: Buffer.from(text), rows: text.split('\n').length - 1 } as unknown as Masked;
  }
}

export const personLines = ['1\tAda@example.com\ttab\\there\n2\tbob@example.com\t\\N\n', '3\tcy@example.com\t\\\\N and \u{1f600}\n'];
export const orderLines = ['10\t1\t2026-01-01 00:00:00+00\n11\t3\t\\N\n'];

export const newRun = (): { id: string; nonce: Uint8Array } => ({ id: newRunId(Date.now()), nonce: randomBytes(16) });

/** The log of these tests: always the same key. */
export const logSigner = toSigner('test-log', new Uint8Array(32).fill(7));

export interface Staged {
  readonly staging: Staging;
  readonly version: DatasetVersion;
  readonly receipts: readonly Receipt[];
  /** Writes the marker, then publishes, and prunes. */
  readonly publish: (marking?: Marking) => Promise<readonly Finding[]>;
}

export interface Marking {
  readonly signer?: Signer;
  readonly systemIdentifier?: string;
  readonly madeAtMs?: number;
  /** False: as it was published before anything beside rows was recorded. */
  readonly recorded?: boolean;
  /** The log that is told of what is pruned, and has the holds. */
  readonly sink?: AuditSink;
}

/** Everything up to publication. */
export async function stage(target: PostgresTarget, plan: Plan = toPlan(), run = newRun()): Promise<Staged> {
  const staging = await target.begin(plan, smallCatalogue, run);
  const receipts = await Promise.all([
    deliver(staging, person, toBatches(...personLines), true),
    deliver(staging, order, toBatches(...orderLines)),
  ]);
  const findings = await staging.finish();
  if (findings.length > 0) throw new Error(`staging has findings: ${findings.map(({ message }) => message).join('; ')}`);
  const made = (await target.datasets()).find(({ runId }) => runId === run.id);
  if (!made) throw new Error('staging is not among the datasets');
  const version = { ...made, planDigest: 'sha256:of-the-plan' };
  const publish = async ({
    signer = logSigner,
    systemIdentifier = '1',
    madeAtMs = Date.now(),
    sink = new MemorySink(),
    recorded = true,
  }: Marking = {}): Promise<readonly Finding[]> => {
    const tables = toManifest(plan, receipts, await staging.beside());
    const manifest = [...tables, ...((recorded && (await staging.definitions?.())) || [])];
    const log = { origin: signer.verifier.name, index: 4 };
    const marker = toMarker({ plan, version, systemIdentifier, nonce: run.nonce, manifest, log, madeAtMs });
    await staging.mark(toMarkerRow(marker, manifest, signNote(toMarkerText(marker), signer)));
    const published = await staging.publish(version);
    const journal = new Journal(sink, systemClock, run.id);
    return [...published, ...(await prune({ target, sink, clock: systemClock }, journal, plan, (await target.place()).server))];
  };
  return { staging, receipts, version, publish };
}

/** What is on the server: databases and roles of ours, and who is connected as the provisioning role. */
export async function readTraces(server: TestServer): Promise<{ databases: unknown[]; roles: unknown[] }> {
  const databases = await server.sql('postgres', `SELECT datname FROM pg_database WHERE datname !~ '^(postgres|template.)$' ORDER BY 1`);
  const roles = await server.sql('postgres', `SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|postgres$|bauta_target$)' ORDER BY 1`);
  return { databases: databases.map((row) => row['datname']), roles: roles.map((row) => row['rolname']) };
}
