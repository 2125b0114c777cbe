// The service on a real metadata database: in this process for most tests, as a child process for those about starting and stopping.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { NestExpressApplication } from '@nestjs/platform-express';

import { composeRun, describeSource, toRequest } from '../../src/cli/compose.js';
import { type Settings, parseSettings } from '../../src/config/settings.js';
import type { GateDoors } from '../../src/control/gates/gates.js';
import { ErrandWorker } from '../../src/control/errands/errands.js';
import { type RunComposer, RunWorker } from '../../src/control/runs/runs.js';
import type { Opened } from '../../src/control/control.module.js';
import { createApplication } from '../../src/control/service.js';
import { ReportMaker } from '../../src/control/reports/reports.js';
import { ProcessMetrics } from '../../src/control/metrics/metrics.js';
import { JsonLogger } from '../../src/control/json-logger.js';
import { issueFirstToken } from '../../src/control/access/access.js';
import { newSecret, toSecretDigest } from '../../src/control/http/http.js';
import { openLogKeys } from '../../src/control/log-keys.js';
import { type MetadataServer, prepareDatabase } from '../../src/control/metadata-server.js';
import { type Clock, systemClock } from '../../src/kernel/clock.js';
import { Metadata, Sequencer, type Transaction, migrate } from '../../src/systems/metadata/metadata.js';
import { migrateQueue } from '../../src/systems/queue/queue.js';
import { KeptSecrets } from './kept-secrets.js';
import { type TestServer, startTestServer } from './server.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface Ask {
  readonly token?: string;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ServiceWorld {
  readonly server: TestServer;
  readonly urls: Required<Omit<MetadataServer, 'stop'>>;
  readonly metadata: Metadata;
  readonly url: string;
  /** Of this world; it stands nowhere that is looked at. */
  readonly serverKey: Uint8Array;
  /** What this process measures: of its requests and of the workers that are started in it. */
  readonly metrics: ProcessMetrics;
  /** Ids of two workspaces that know nothing of each other. */
  readonly workspaces: Readonly<Record<'home' | 'foreign', string>>;
  /** Stands nowhere that this world says, logs or stores: looked for at its end. */
  secret(text: string): string;
  firstToken(): Promise<string | undefined>;
  /** A person with these roles and a token for him; with an owner: a service account. */
  person(name: string, roles: readonly string[], workspace?: 'home' | 'foreign', owner?: string): Promise<string>;
  /** One more token of a person of home. */
  token(name: string): Promise<string>;
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  /** SQL as superuser in the metadata database. */
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** Signs the log from now on, with a key of this world; the second time it does already. */
  startSequencer(): Promise<void>;
  /** What was told so far, sequenced or not, in the order of each: the events of these types, or all. */
  told(...types: string[]): Promise<{ type: string; runId?: string; actor?: string; data: Record<string, unknown> }[]>;
  stop(): Promise<void>;
}

/** A sequencer in this process, with the key of a home. */
export async function startSequencer(urls: ServiceWorld['urls'], home: string): Promise<Sequencer> {
  const keys = await openLogKeys(parseSettings({ BAUTA_HOME: home }), {});
  return new Sequencer(urls.sequencer, keys, (error) => void process.stderr.write(`sequencer: ${String(error)}\n`));
}

export async function prepareMetadata(server: TestServer, name: string): Promise<ServiceWorld['urls']> {
  const urls = await prepareDatabase({ name: 'metadata', url: server.url('postgres') }, server.port, name);
  await migrate(urls.owner, { beside: () => migrateQueue(urls.owner) });
  return urls;
}

/** MUST be stopped in afterAll. A `server` that was given is the caller's to stop. */
export async function startServiceWorld(
  given?: TestServer,
  clock: Clock = systemClock,
  hookSecrets: Readonly<Record<string, string>> = {},
  {
    gates,
    ...more
  }: Pick<Opened, 'grants' | 'http' | 'tokens'> & {
    readonly settings?: Settings;
    readonly gates?: (metadata: Metadata) => GateDoors;
  } = {},
): Promise<ServiceWorld> {
  const server = given ?? (await startTestServer());
  const urls = await prepareMetadata(server, 'metadata');
  const sql: ServiceWorld['sql'] = (text) => server.sql('metadata', text);
  const [home] = await sql(`SELECT id FROM bauta.workspace WHERE name = 'default'`);
  const [foreign] = await sql(`INSERT INTO bauta.workspace (name) VALUES ('foreign') RETURNING id`);
  const workspaces = { home: String(home?.['id']), foreign: String(foreign?.['id']) };
  const serverKey = randomBytes(32);
  const kept = new KeptSecrets();
  for (const secret of [
    serverKey.toString('base64'),
    ...Object.values(hookSecrets),
    ...Object.values(urls).map((one) => new URL(one).password),
  ])
    kept.add(secret);
  const metrics = new ProcessMetrics(systemClock);
  const readHookSecret = (_: string, reference: string): Promise<string | undefined> => Promise.resolve(hookSecrets[reference]);
  const keys = mkdtempSync(join(tmpdir(), 'bauta-log-keys-'));
  let sequencer: Sequencer | undefined;
  const metadata = await Metadata.open(urls.service, 5);
  const opened = {
    metadata,
    serverKey,
    settings: parseSettings({ BAUTA_RATE_ADDRESS: '0', BAUTA_RATE_TOKEN: '0' }),
    clock,
    readHookSecret,
    metrics,
    reports: new ReportMaker({ url: urls.service, environment: process.env, witnesses: '', atOnce: 1 }),
    ...more,
    ...(gates ? { gates: gates(metadata) } : {}),
  };
  const app: NestExpressApplication = await createApplication(
    opened,
    1_000_000,
    new JsonLogger('debug', { write: (line) => kept.hear(line) }),
  );
  await app.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${(app.getHttpServer().address() as { port: number }).port}`;
  const issue = async (people: Transaction['people'], personId: string): Promise<string> => {
    const secret = kept.add(newSecret('token'));
    await people.insertToken(personId, 'test', toSecretDigest(secret, serverKey), new Date(Date.now() + 3_600_000));
    return secret;
  };
  return {
    ...{ server, urls, metadata, url, serverKey, metrics, workspaces, sql },
    secret: (text) => kept.add(text),
    firstToken: async () => {
      const secret = await issueFirstToken(metadata, serverKey, systemClock);
      return secret === undefined ? undefined : kept.add(secret);
    },
    person: (name, roles, workspace = 'home', owner) =>
      metadata.within(workspaces[workspace], async ({ people }) => {
        const { id } = await people.insert(name, owner === undefined ? null : ((await people.find(owner))?.id ?? null));
        await people.setRoles(id, roles, null);
        return issue(people, id);
      }),
    token: (name) => metadata.within(workspaces.home, async ({ people }) => issue(people, (await people.find(name))?.id ?? '')),
    ask: async (method, path, given) => {
      const answer = await ask(url, method, path, given);
      kept.hear(JSON.stringify([answer.body, [...answer.headers]]));
      return answer;
    },
    startSequencer: async () => {
      sequencer ??= await startSequencer(urls, keys);
    },
    told: async (...types) => {
      const rows = await sql(
        'SELECT event FROM (SELECT 0 AS part, position AS place, event FROM bauta.audit_leaf UNION ALL SELECT 1, id, event FROM bauta.outbox) e ORDER BY part, place',
      );
      const events = rows.map(({ event }) => event as Awaited<ReturnType<ServiceWorld['told']>>[number]);
      return types.length === 0 ? events : events.filter(({ type }) => types.includes(type));
    },
    stop: async () => {
      await sequencer?.stop();
      rmSync(keys, { recursive: true, force: true });
      await app.close();
      await metadata.close();
      kept.check(await readEverything(sql));
      if (!given) await server.stop();
    },
  };
}

/** Every row of every table of ours, as text. */
export async function readEverything(sql: ServiceWorld['sql']): Promise<readonly string[]> {
  const tables = await sql(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('bauta', 'graphile_worker')`,
  );
  const rows: string[] = [];
  for (const { name } of tables) for (const { text } of await sql(`SELECT t::text AS text FROM ${String(name)} t`)) rows.push(String(text));
  return rows;
}

/** A worker in this process on the world's runs. `connections`: by the name that documents have for them. */
export async function startRunWorker(
  world: ServiceWorld,
  home: string,
  connections: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
  composer: RunComposer = { composeRun, describeSource, toRequest },
): Promise<RunWorker> {
  const { metadata, urls, metrics } = world;
  await world.startSequencer();
  const settings = parseSettings({ BAUTA_HOME: home, BAUTA_THREADS: '0', ...more });
  const failed = (error: unknown): void => void process.stderr.write(`worker: ${String(error)}\n`);
  return RunWorker.start({
    ...{ metadata, url: urls.service, settings, environment: connections, composer, failed },
    metrics,
  });
}

/** A composer whose runs go by another clock. */
export const composerAt = (clock: Clock): RunComposer => ({
  ...{ describeSource, toRequest },
  composeRun: async (options) => {
    const composed = await composeRun(options);
    return { ...composed, doors: { ...composed.doors, clock } };
  },
});

/** For what is asked for beside runs. */
export function startErrandWorker(
  world: ServiceWorld,
  home: string,
  connections: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
): Promise<ErrandWorker> {
  const { metadata, urls, metrics } = world;
  const settings = parseSettings({ BAUTA_HOME: home, BAUTA_THREADS: '0', ...more });
  const failed = (error: unknown): void => void process.stderr.write(`errands: ${String(error)}\n`);
  return ErrandWorker.start({
    ...{ metadata, url: urls.service, settings, environment: connections, composer: { composeRun, describeSource, toRequest }, failed },
    metrics,
  });
}

export async function ask(url: string, method: string, path: string, { token, json, text, headers = {} }: Ask = {}): Promise<Answer> {
  const body = text ?? (json === undefined ? undefined : JSON.stringify(json));
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  const answered = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: (isJson ? JSON.parse(answered) : { text: answered }) as Answer['body'],
  };
}
