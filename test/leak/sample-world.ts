// The sample with its canaries on one server, its masked copy on another, both telling all that they can be made to tell; and the places to look at.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { packageFile } from '../../src/kernel/package-root.js';
import { loadShop } from '../support/shop.js';
import { type Ended, type Started, pause, startProcess, untilThere } from '../support/small-shop.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { toUrl } from '../support/target-world.js';
import { plantInSample } from './sample-canaries.js';

const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const blockedRun = fileURLToPath(new URL('../fault/blocked-run.js', import.meta.url));

/** A server that keeps nothing to itself. */
const talkative = {
  log_statement: 'all',
  log_min_duration_statement: '0',
  log_parameter_max_length: '-1',
  log_parameter_max_length_on_error: '-1',
  log_error_verbosity: 'verbose',
  log_temp_files: '0',
  log_lock_waits: 'on',
  log_autovacuum_min_duration: '0',
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'all',
  track_activity_query_size: '65536',
};

export interface SampleWorld {
  readonly source: TestServer;
  readonly target: TestServer;
  readonly folder: string;
  readonly home: string;
  readonly temporary: string;
  start(words: readonly string[], environment?: Readonly<Record<string, string>>): Started;
  /** As `SmallShop.block`. */
  block(place: string): Promise<Started>;
  /** What the servers said of their sessions, all along, until the process ended. */
  watch(started: Started): Promise<{ readonly ended: Ended; readonly seen: string }>;
  stop(): Promise<void>;
}

export async function startSampleWorld(): Promise<SampleWorld> {
  const [source, target] = await Promise.all([startTestServer({ settings: talkative }), startTestServer({ settings: talkative })]);
  const stop = async (): Promise<void> => void (await Promise.all([source.stop(), target.stop()]));
  await prepare(source, target).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const folder = mkdtempSync(join(tmpdir(), 'bauta-leak-'));
  cpSync(packageFile('examples', 'shop'), folder, { recursive: true, filter: (path) => !path.endsWith('.sql') });
  const [home, temporary] = [join(folder, 'home'), join(folder, 'temporary')];
  mkdirSync(temporary);
  // A key that is always the same: a pseudonym that is a canary by chance is one for ever, or never.
  const keys = join(home, 'keys', 'masking', 'default', 'dev');
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  writeFileSync(join(keys, 'v1.key'), `${Buffer.alloc(32, 'leak').toString('base64')}\n`, { mode: 0o600 });
  const environment = {
    PATH: process.env['PATH'] ?? '',
    TMPDIR: temporary,
    SOURCE_URL: toUrl(source.url('production'), 'bauta_source'),
    TARGET_URL: toUrl(target.url('shop_dev'), 'bauta_target'),
    BAUTA_HOME: home,
    BAUTA_BATCH_BYTES: '16384',
  };
  const sessions = (server: TestServer): Promise<unknown> =>
    server.sql('postgres', `SELECT query, application_name, usename, datname FROM pg_stat_activity WHERE pid <> pg_backend_pid()`);
  return {
    source,
    target,
    folder,
    home,
    temporary,
    start: (words, more = {}) => startProcess([cli, ...words], folder, { ...environment, ...more }),
    block: async (place) => {
      const started = startProcess([blockedRun, join(folder, 'pipeline.yaml'), place], folder, environment);
      await untilThere(started, place);
      return started;
    },
    watch: async (started) => {
      const seen = new Set<string>();
      let over = false;
      void started.ended.then(() => (over = true));
      while (!over) {
        for (const told of await Promise.all([sessions(source), sessions(target)])) seen.add(JSON.stringify(told));
        seen.add(readProcess(started.pid));
        await pause(40);
      }
      return { ended: await started.ended, seen: [...seen].join('\n') };
    },
    stop: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function prepare(source: TestServer, target: TestServer): Promise<void> {
  await source.create('production');
  await loadShop(source, 'production', true);
  await plantInSample(source, 'production');
  for (const [server, role] of [
    [source, 'source'],
    [target, 'target'],
  ] as const) {
    await server.sql('postgres', readFileSync(packageFile('deploy', `${role}-role.sql`), 'utf8'));
    await server.sql('postgres', `ALTER ROLE bauta_${role} PASSWORD 'a password'; CREATE EXTENSION pg_stat_statements`);
  }
  // What was said while the canaries were planted is no leak.
  await source.sql('postgres', 'SELECT pg_stat_statements_reset()');
  truncateSync(source.logFile);
}

/** What others on the machine see of a process: its words, its environment, the names of its threads, the files that it has open. */
function readProcess(pid: number): string {
  if (process.platform !== 'linux') return '';
  try {
    const tasks = readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8'));
    return [readFileSync(`/proc/${pid}/cmdline`, 'latin1'), readFileSync(`/proc/${pid}/environ`, 'latin1'), ...tasks].join('\n');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
