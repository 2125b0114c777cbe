// A small but nasty source, a target on another server, the least-privileged roles of deploy/ and the documents of a pipeline between them;
// Bauta runs on it as a process of its own: as the command line, or blocked at a named place so that a test can kill it there.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { packageFile } from '../../src/kernel/package-root.js';
import type { Event } from '../../src/pipeline/event.js';
import type { EmbeddedOptions } from '../../src/systems/postgres/embedded.js';
import { eventsOf } from './log.js';
import { type TestServer, startTestServer } from './server.js';
import { prepareTarget, swapMember } from './swap-world.js';
import { toUrl } from './target-world.js';

const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const blockedRun = fileURLToPath(new URL('../fault/blocked-run.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it has said so far. */
  said(): { readonly stdout: string; readonly stderr: string };
}

export interface SmallShop {
  readonly source: TestServer;
  readonly target: TestServer;
  /** Documents and home. */
  readonly folder: string;
  readonly pipeline: string;
  readonly home: string;
  /** Environment of every child, connection references included. */
  readonly environment: Record<string, string>;
  /** `bauta <words>` in a process of its own; `before` is shell text that the process begins with, such as `ulimit -c unlimited`. */
  start(words: readonly string[], environment?: Readonly<Record<string, string>>, before?: string): Started;
  bauta(words: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ended>;
  /** A run that stops for ever at `border:NAME`, `step:NAME`, `moved:BATCHES` or `built:STATEMENTS`; resolves when it is there. */
  block(place: string, environment?: Readonly<Record<string, string>>): Promise<Started>;
  /** A run that is cancelled at a step of the target. */
  abortAt(step: string): Promise<Ended>;
  /** What stands on both servers that is Bauta's, as text to compare. */
  traces(): Promise<Traces>;
  /** Contents of the target, and which database it is; undefined when there is none. */
  published(): Promise<Published | undefined>;
  events(): Event[];
  stop(): Promise<void>;
}

export interface Traces {
  readonly databases: readonly unknown[];
  readonly roles: readonly unknown[];
  readonly sessions: number;
  readonly locks: number;
  /** Replication slots and prepared transactions. */
  readonly slots: number;
  /** Files in the temporary folder of the processes. */
  readonly temporary: readonly string[];
}

export interface Published {
  readonly oid: unknown;
  readonly comment: unknown;
  readonly digest: unknown;
}

export interface SmallShopOptions {
  readonly source?: EmbeddedOptions;
  readonly target?: EmbeddedOptions;
  /** Nobody gets CREATEDB on the target, and versions are schemas of one database. */
  readonly swap?: boolean;
}

export async function startSmallShop(options: SmallShopOptions = {}): Promise<SmallShop> {
  const [source, target] = await Promise.all([startTestServer(options.source), startTestServer(options.target)]);
  await prepareServers(source, target, options.swap === true);
  const folder = mkdtempSync(join(tmpdir(), 'bauta-small-shop-'));
  const [pipeline, home, temporary] = [join(folder, 'pipeline.yaml'), join(folder, 'home'), join(folder, 'temporary')];
  mkdirSync(temporary);
  writeFileSync(pipeline, options.swap ? pipelineText.replace('class: dev,', `class: dev, ${swapMember},`) : pipelineText);
  const environment: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    TMPDIR: temporary,
    SOURCE_URL: toUrl(source.url('production'), 'bauta_source'),
    TARGET_URL: toUrl(target.url('shop_dev'), 'bauta_target'),
    ...(options.swap ? { BUILDER_URL: toUrl(target.url('shop_dev'), 'bauta_builder') } : {}),
    BAUTA_HOME: home,
    // Small batches, so that there is a middle of a table.
    BAUTA_BATCH_BYTES: '8192',
    BAUTA_VERIFY_SLOTS: '16',
    NODE_NO_WARNINGS: '1',
  };
  // A test that fails half-way leaves its process where it blocked.
  const children: ChildProcess[] = [];
  const started = (one: Started): Started => (children.push(one.child), one);
  const start = (words: readonly string[], more: Readonly<Record<string, string>> = {}, before?: string): Started =>
    started(startProcess([cli, ...words], folder, { ...environment, ...more }, before));
  return {
    source,
    target,
    folder,
    pipeline,
    home,
    environment,
    start,
    bauta: (words, more) => start(words, more).ended,
    block: async (place, more = {}) => {
      const blocked = started(startProcess([blockedRun, pipeline, place], folder, { ...environment, ...more }));
      await untilThere(blocked, place);
      return blocked;
    },
    abortAt: (step) => startProcess([blockedRun, pipeline, `abort:${step}`], folder, environment).ended,
    traces: () => readTraces(source, target, temporary),
    published: () => readPublished(target),
    events: () => eventsOf(home),
    stop: async () => {
      for (const child of children) child.kill('SIGKILL');
      await Promise.all([source.stop(), target.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function prepareServers(source: TestServer, target: TestServer, swap: boolean): Promise<void> {
  await source.create('production');
  await source.sql('production', schemaText);
  await source.sql('production', dataText);
  await source.sql('postgres', readFileSync(packageFile('deploy', 'source-role.sql'), 'utf8'));
  await source.sql('postgres', `ALTER ROLE bauta_source PASSWORD 'a password'`);
  if (swap) return prepareTarget({ server: target, password: 'a password' }, 'shop_dev');
  await target.sql('postgres', readFileSync(packageFile('deploy', 'target-role.sql'), 'utf8'));
  await target.sql('postgres', `ALTER ROLE bauta_target PASSWORD 'a password'`);
}

export function startProcess(words: readonly string[], cwd: string, env: Readonly<Record<string, string>>, before?: string): Started {
  const [command, ...more] = before === undefined ? [process.execPath] : ['/bin/sh', '-c', `${before}; exec "$@"`, 'sh', process.execPath];
  const child = spawn(command ?? '', [...more, ...words], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const heard = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (heard.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (heard.stderr += text));
  const ended = new Promise<Ended>((resolve) => child.once('close', (code, signal) => resolve({ code, signal, ...heard })));
  return { child, pid: child.pid ?? 0, ended, said: () => ({ ...heard }) };
}

export async function untilThere(started: Started, place: string): Promise<void> {
  let over = false;
  void started.ended.then(() => (over = true));
  for (let waited = 0; waited < 60_000; waited += 20) {
    if (started.said().stdout.includes(`at ${place}\n`)) return;
    if (over) throw new Error(`the run never came to ${place}: ${started.said().stderr}`);
    await pause(20);
  }
  throw new Error(`the run does not come to ${place}`);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves with what `look` gives as soon as it gives something else than false or undefined. */
export async function waitFor<T>(look: () => Promise<T | false | undefined> | T | false | undefined, withinMs = 40_000): Promise<T> {
  for (const until = performance.now() + withinMs; performance.now() < until;) {
    const seen = await look();
    if (seen !== false && seen !== undefined) return seen;
    await pause(20);
  }
  throw new Error('waited in vain');
}

async function readTraces(source: TestServer, target: TestServer, temporary: string): Promise<Traces> {
  const databases = await target.sql('postgres', `SELECT datname FROM pg_database WHERE datname !~ '^(postgres|template.)$' ORDER BY 1`);
  const roles = await target.sql('postgres', `SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|postgres$|bauta_target$)' ORDER BY 1`);
  const busy = await Promise.all(
    [source, target].map((server) =>
      server.sql(
        'postgres',
        `SELECT (SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'bauta' OR usename ~ 'bauta_') AS sessions,
                (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS locks,
                (SELECT count(*)::int FROM pg_replication_slots) + (SELECT count(*)::int FROM pg_prepared_xacts) AS slots`,
      ),
    ),
  );
  const sum = (name: string): number => busy.reduce((all, [row]) => all + Number(row?.[name]), 0);
  return {
    databases: databases.map((row) => row['datname']),
    roles: roles.map((row) => row['rolname']),
    sessions: sum('sessions'),
    locks: sum('locks'),
    slots: sum('slots'),
    temporary: readdirSync(temporary),
  };
}

async function readPublished(target: TestServer): Promise<Published | undefined> {
  const [found] = await target.sql(
    'postgres',
    `SELECT oid, shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = 'shop_dev'`,
  );
  if (!found) return undefined;
  const table = (name: string): string => `(SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM shop.${name} t)`;
  const [row] = await target.sql('shop_dev', `SELECT ${table('customer')} || ${table('"order"')} || ${table('country')} AS digest`);
  return { oid: found['oid'], comment: found['comment'], digest: row?.['digest'] };
}

export const nothing: Traces = { databases: [], roles: [], sessions: 0, locks: 0, slots: 0, temporary: [] };
export const onlyPublished: Traces = {
  databases: ['shop_dev'],
  roles: ['shop_dev_owner', 'shop_dev_ro', 'shop_dev_rw'],
  sessions: 0,
  locks: 0,
  slots: 0,
  temporary: [],
};

const schemaText = `
CREATE SCHEMA shop;
CREATE TABLE shop.country (code char(2) PRIMARY KEY, title text NOT NULL);
CREATE TABLE shop.customer (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL UNIQUE,
  first_name text NOT NULL,
  last_name text NOT NULL,
  born text,
  phone text,
  profile jsonb NOT NULL DEFAULT '{}',
  nicknames text[],
  country char(2) NOT NULL REFERENCES shop.country (code),
  referred_by bigint REFERENCES shop.customer (id)
);
CREATE TABLE shop."order" (
  id bigint GENERATED BY DEFAULT AS IDENTITY,
  customer_id bigint NOT NULL REFERENCES shop.customer (id),
  placed_on date NOT NULL,
  note text,
  PRIMARY KEY (id, placed_on)
) PARTITION BY RANGE (placed_on);
CREATE TABLE shop.order_2024 PARTITION OF shop."order" FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE shop.order_rest PARTITION OF shop."order" DEFAULT;
CREATE INDEX ON shop."order" (customer_id);
CREATE VIEW shop.recent AS SELECT id, customer_id FROM shop."order" WHERE placed_on > '2024-06-01';
`;

const dataText = `
INSERT INTO shop.country VALUES ('DE', 'Germany'), ('FR', 'France'), ('US', 'United States');
INSERT INTO shop.customer (email, first_name, last_name, born, phone, profile, nicknames, country, referred_by)
  SELECT 'person' || i || '@company-' || i % 50 || '.example.com', 'Anna' || i % 97, E'O''Neil\\t"' || i % 89 || E'\\\\N', to_char(date '1950-01-01' + i % 20000, 'YYYY-MM-DD'),
    '+49 30 ' || (1000000 + i), jsonb_build_object('lang', 'de', 'mail', 'second' || i || '@example.org'),
    CASE WHEN i % 3 = 0 THEN ARRAY['Nick' || i, NULL, 'x,"y'] END, (ARRAY['DE', 'FR', 'US'])[1 + i % 3], CASE WHEN i > 1 THEN i / 2 END
  FROM generate_series(1, 4000) i;
INSERT INTO shop."order" (customer_id, placed_on, note)
  SELECT 1 + i % 4000, date '2024-01-01' + i % 700, CASE WHEN i % 5 > 0 THEN 'please ring twice, ' || i END FROM generate_series(1, 16000) i;
ANALYZE;
`;

const pipelineText = `kind: Pipeline
name: small-shop
source: { connection: env:SOURCE_URL, region: eu-central-1 }
target: { connection: env:TARGET_URL, environment: dev, class: dev, region: eu-central-1, allows: [pii, pci, secret, quasi] }
classification: small-shop
purpose: tests of what goes wrong
owner: team-shop
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 30
---
kind: Classification
name: small-shop
tables:
  shop.country:
    keep:
      - { columns: [code, title], reason: a public list of countries }
  shop.customer:
    person: true
    columns:
      id: pii.key
      email: pii.email
      first_name: pii.first-name
      last_name: pii.last-name
      born: pii.date-of-birth
      phone: pii.phone
      profile: { paths: { lang: none, mail: pii.email } }
      nicknames: pii.first-name
    keep:
      - { columns: [country], reason: too coarse to tell one customer from another }
  shop."order":
    columns: { id: pii.key, note: pii.free-text }
    keep:
      - { columns: [placed_on], reason: the partition key must stay in its partition }
`;
