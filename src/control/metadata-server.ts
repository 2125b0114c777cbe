// Which metadata database: the one that settings name, or an embedded Postgres of this home with the same three roles.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { Settings } from '../config/settings.js';
import { toError } from '../kernel/errors.js';
import { packageFile } from '../kernel/package-root.js';
import { type ConnectionTarget, connect, findLeftRunning, startEmbedded, toVerifiedUrl } from '../systems/postgres/postgres.js';
import { loadEmbeddedHome, readReference } from './home.js';

/** Connection strings by role; a role that this process was not given is absent. */
export interface MetadataServer {
  readonly service: string;
  readonly owner?: string;
  readonly sequencer?: string;
  stop(): Promise<void>;
}

export const metadataRoles = ['owner', 'service', 'sequencer'] as const;

export async function openMetadataServer(settings: Settings, environment: NodeJS.ProcessEnv): Promise<MetadataServer> {
  const { BAUTA_METADATA: service, BAUTA_METADATA_OWNER: owner, BAUTA_METADATA_SEQUENCER: sequencer } = settings;
  if (service === '') return startOwn(settings);
  const read = (reference: string): string => toVerifiedUrl(reference, readReference(reference, environment));
  return {
    service: read(service),
    ...(owner === '' ? {} : { owner: read(owner) }),
    ...(sequencer === '' ? {} : { sequencer: read(sequencer) }),
    stop: () => Promise.resolve(),
  };
}

async function startOwn(settings: Settings): Promise<MetadataServer> {
  const keep = loadEmbeddedHome(settings);
  const left = findLeftRunning(keep.folder, keep.password);
  if (left !== undefined && (await isServing(left))) throw toError('SERVICE_RUNNING', { file: settings.BAUTA_HOME });
  const server = await startEmbedded({ keep });
  try {
    const urls = await prepareDatabase({ name: 'metadata', url: server.url('postgres') }, server.port);
    return { ...urls, stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Does another process of ours use that server? One that was killed left it running and is gone from its list of sessions. */
async function isServing(url: string): Promise<boolean> {
  try {
    const client = await connect({ name: 'metadata', url, connectTimeoutMs: 5000 });
    try {
      const { rowCount } = await client.query(`SELECT FROM pg_catalog.pg_stat_activity WHERE application_name = 'bauta service'`);
      return (rowCount ?? 0) > 0;
    } finally {
      await client.end();
    }
  } catch {
    return false;
  }
}

/** The database and its roles, with passwords of this start only: nothing that outlives the process can log in as one of them. */
export async function prepareDatabase(
  admin: ConnectionTarget,
  port: number,
  name = 'bauta',
): Promise<Required<Omit<MetadataServer, 'stop'>>> {
  const passwords = metadataRoles.map((role) => ({ role, password: randomBytes(24).toString('base64url') }));
  const run = async (database: string | undefined, ...texts: string[]): Promise<void> => {
    const client = await connect(admin, database === undefined ? {} : { database });
    try {
      for (const text of texts) await client.query(text);
    } finally {
      await client.end();
    }
  };
  const client = await connect(admin);
  const { rowCount } = await client.query('SELECT FROM pg_catalog.pg_database WHERE datname = $1', [name]).finally(() => client.end());
  if (!rowCount) await run(undefined, `CREATE DATABASE "${name}"`);
  // Base64url has no quote: nothing to escape.
  await run(
    name,
    readFileSync(packageFile('deploy', 'metadata-roles.sql'), 'utf8'),
    ...passwords.map(({ role, password }) => `ALTER ROLE bauta_${role} PASSWORD '${password}'`),
  );
  const [owner = '', service = '', sequencer = ''] = passwords.map(
    ({ role, password }) => `postgres://bauta_${role}:${password}@127.0.0.1:${port}/${name}`,
  );
  return { owner, service, sequencer };
}
