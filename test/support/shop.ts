// The sample shop on a real server, and worlds of one test each: a production database cloned in milliseconds, documents of its own that a test
// may edit, a home of its own, and the product composed as the command line does.
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type ComposeOptions, compose } from '../../src/cli/compose.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { provision } from '../../src/pipeline/pipeline.js';
import type { RunSummary } from '../../src/pipeline/report/report.js';
import type { Hooks } from '../../src/pipeline/run.js';
import type { EmbeddedOptions } from '../../src/systems/postgres/embedded.js';
import { type TestServer, startTestServer } from './server.js';

export interface Ended {
  readonly summary: RunSummary;
  readonly error?: unknown;
}

/** A production database, documents and a target that is not there yet. */
export interface World {
  readonly production: string;
  readonly target: string;
  /** Path of the pipeline document. */
  readonly file: string;
  readonly folder: string;
  readonly home: string;
  readonly environment: Readonly<Record<string, string>>;
  /** SQL as superuser in the production database. */
  source(text: string): Promise<Record<string, unknown>[]>;
  /** SQL as superuser in the published copy. */
  copy(text: string): Promise<Record<string, unknown>[]>;
  /** Replaces the one occurrence of a text in a document; throws when it is not there. */
  edit(document: string, from: string, to: string): void;
  write(document: string, text: string): void;
  /** The whole way, as `bauta run` composes it. */
  provision(
    options?: Omit<Partial<ComposeOptions>, 'file' | 'environment'> & { hooks?: Hooks; settings?: Record<string, string> },
  ): Promise<Ended>;
}

export interface Sample {
  readonly server: TestServer;
  readonly url: (role: 'bauta_source' | 'bauta_target' | 'bauta_builder', database: string) => string;
  readonly password: string;
  /** `name` MUST be a lower-case identifier, once per server. */
  world(name: string): Promise<World>;
  /** Databases and roles on the server that a world's target left there, whatever their state. */
  traces(name: string): Promise<string[]>;
  stop(): Promise<void>;
}

export interface SampleOptions {
  readonly server?: TestServer;
  readonly embedded?: EmbeddedOptions;
  /** Folder of the documents; default: examples/shop. */
  readonly documents?: string;
  /** Fills the template database; default: the shop. */
  readonly load?: (server: TestServer, database: string) => Promise<void>;
  /** The shop with 1,000 customers instead of 25,000, and everything else in proportion. */
  readonly small?: boolean;
  /** A server on which the target's login gets no CREATEDB: its roles are made per target database (swap-world.ts). */
  readonly swap?: boolean;
}

/** MUST be stopped in afterAll. */
export async function startSample(options: SampleOptions = {}): Promise<Sample> {
  const server =
    options.server ?? (await startTestServer({ ...options.embedded, settings: { max_wal_size: '2GB', ...options.embedded?.settings } }));
  const documents = options.documents ?? packageFile('examples', 'shop');
  const folders: string[] = [];
  await server.create('sample_template');
  const load = options.load ?? ((...at: [TestServer, string]) => loadShop(...at, options.small === true));
  await load(server, 'sample_template');
  const password = randomBytes(12).toString('hex');
  for (const role of options.swap ? ['source'] : ['source', 'target']) {
    await server.sql('postgres', readFileSync(packageFile('deploy', `${role}-role.sql`), 'utf8'));
    await server.sql('postgres', `ALTER ROLE bauta_${role} PASSWORD '${password}'`);
  }
  const url: Sample['url'] = (role, database) => `postgres://${role}:${password}@127.0.0.1:${server.port}/${database}`;
  return {
    server,
    url,
    password,
    world: async (name) => {
      const folder = mkdtempSync(join(tmpdir(), 'bauta-world-'));
      folders.push(folder);
      cpSync(documents, folder, { recursive: true, filter: (path) => !path.endsWith('.sql') });
      const production = `${name}_production`;
      await server.create(production, 'sample_template');
      return toWorld(server, folder, {
        SOURCE_URL: url('bauta_source', production),
        TARGET_URL: url('bauta_target', `${name}_dev`),
      });
    },
    traces: async (name) => {
      const rows = await server.sql(
        'postgres',
        `SELECT datname AS name FROM pg_database WHERE datname LIKE '${name}\\_dev%' UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE '${name}\\_dev%' ORDER BY 1`,
      );
      return rows.map((row) => String(row['name']));
    },
    stop: async () => {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
      await server.stop();
    },
  };
}

export function toWorld(server: TestServer, folder: string, environment: Record<string, string>): World {
  const [production, target] = ['SOURCE_URL', 'TARGET_URL'].map((name) => new URL(environment[name] ?? '').pathname.slice(1)) as [
    string,
    string,
  ];
  const file = join(folder, 'pipeline.yaml');
  const home = join(folder, 'home');
  return {
    production,
    target,
    file,
    folder,
    home,
    environment,
    source: (text) => server.sql(production, text),
    copy: (text) => server.sql(target, text),
    edit: (document, from, to) => {
      const path = join(folder, document);
      const text = readFileSync(path, 'utf8');
      if (text.split(from).length !== 2)
        throw new Error(`${document} holds ${text.split(from).length - 1} times what should be replaced: ${from}`);
      writeFileSync(
        path,
        text.replace(from, () => to),
      );
    },
    write: (document, text) => writeFileSync(join(folder, document), text),
    provision: async ({ hooks, settings, ...options } = {}) => {
      const composed = await compose({ home, ...options, file, environment: { ...environment, ...settings } });
      try {
        return await provision(composed.doors, composed.request, composed.run, hooks);
      } finally {
        await composed.close();
      }
    },
  };
}

export async function loadShop(server: TestServer, database: string, small: boolean): Promise<void> {
  await server.sql(database, readFileSync(packageFile('examples', 'shop', 'schema.sql'), 'utf8'));
  const rows = readFileSync(packageFile('examples', 'shop', 'data.sql'), 'utf8');
  await server.sql(database, small ? toSmall(rows) : rows);
}

/** Smaller ends of the series, and of the ids drawn from them. Throws when the rows are no longer made as this expects. */
function toSmall(rows: string): string {
  const smaller = [
    ['25000', '1000'],
    ['generate_series(1, 40000)', 'generate_series(1, 2000)'],
    ['generate_series(1, 30000)', 'generate_series(1, 1500)'],
    ['generate_series(1, 6000)', 'generate_series(1, 900)'],
    ['generate_series(1, 5000)', 'generate_series(1, 900)'],
  ] as const;
  return smaller.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the sample has no ${from}`);
    return text.replaceAll(from, to);
  }, rows);
}

/** Throws what went wrong unless the run published. */
export function requirePublished({ summary, error }: Ended): RunSummary {
  if (summary.state === 'published') return summary;
  const errors = summary.findings.filter(({ severity }) => severity === 'error').map(({ code, message }) => `${code}: ${message}`);
  throw new Error(
    [summary.state, ...errors, ...(summary.decision?.reasons ?? []).map(({ code, message }) => `${code}: ${message}`)].join('\n'),
    {
      cause: error,
    },
  );
}
