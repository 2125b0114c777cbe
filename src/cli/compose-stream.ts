// The target of a pipeline whose dataset goes through a broker, put together: the connection to it, the key that signs what goes there, and the
// server on which it is proved.
import { readFileSync } from 'node:fs';

import type { Settings } from '../config/settings.js';
import { systemClock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { packageFile } from '../kernel/package-root.js';
import type { Verifier } from '../kernel/signed-note.js';
import type { RowsDefinition, TargetDefinition } from '../pipeline/definition.js';
import type { KeyProvider, Target } from '../pipeline/ports.js';
import { findStreamKey } from '../control/stream-key.js';
import type { StreamSide } from '../control/stream-side.js';
import { sealBytes } from '../systems/archive/archive.js';
import { readAgentRegister } from '../systems/files/files.js';
import { HttpClient, sendLocally } from '../systems/http/http.js';
import {
  BulkEncoding,
  RowsEncoding,
  type RowsEncodingOptions,
  SchemaRegistry,
  type StreamStep,
  StreamTarget,
  openBroker,
  usualChoices,
} from '../systems/kafka/kafka.js';
import { type ConnectionTarget, type ProvingServer, openTarget, startProving } from '../systems/postgres/postgres.js';

export interface StreamOptions {
  readonly settings: Settings;
  readonly definition: TargetDefinition;
  readonly workspace: string | undefined;
  /** Where agents are registered. */
  readonly home: string;
  /** Whom a service let go; absent: the home's own register says it. */
  readonly revoked?: ((environment: string) => Promise<ReadonlySet<string>>) | undefined;
  readonly side: StreamSide;
  /** Of the environment's hierarchy `transport`. */
  readonly keys: KeyProvider;
  readonly verifiers: readonly Verifier[];
  /** Ranges that are under way at once: each of them is proved meanwhile, so each has a session there. */
  readonly streams: number;
  readonly onStep?: ((step: StreamStep) => void | Promise<void>) | undefined;
}

export interface OpenedStream {
  readonly target: StreamTarget;
  /** Where staging is. Throws before `begin`. */
  connection(): ConnectionTarget;
}

const minuteMs = 60_000;

/** Its target closes everything that was opened here. */
export async function openStream(options: StreamOptions): Promise<OpenedStream> {
  const { definition, side, settings, keys, verifiers, streams } = options;
  const { kafka = {}, environment } = definition;
  const database = kafka.database ?? environment;
  const { BAUTA_CONNECT_TIMEOUT_MS: connectTimeoutMs, BAUTA_BROKER_WAIT_MS: patienceMs } = settings;
  const broker = await openBroker(side.broker, { connectTimeoutMs, patienceMs, stage: 'deliver' });
  const proving = new Proving(database, side.proving, verifiers, streams);
  const [first] = side.broker.hosts;
  try {
    const place = { workspace: options.workspace ?? 'local', environment, ...(kafka.prefix !== undefined && { prefix: kafka.prefix }) };
    const key = await findStreamKey(keys);
    const stream = { partitions: kafka.partitions ?? 4, replication: kafka.replication, waitMs: (kafka.waitMinutes ?? 30) * minuteMs };
    const of = { broker, place, database, settings: stream };
    const bulk = { key, agents: kafka.agents ?? 1, encrypt: kafka.clear === undefined, seal: sealBytes, streams };
    const target = new StreamTarget({
      ...{
        ...of,
        key,
        clock: systemClock,
        proving: () => proving.target(),
        revoked: () => (options.revoked ? options.revoked(environment) : readRevoked(options.home, environment)),
      },
      encoding: kafka.rows ? toRowsEncoding(of, kafka.rows, options) : new BulkEncoding({ ...of, ...bulk }),
      address: first ? `${first.host}:${first.port}` : '',
      onStep: options.onStep,
      onClose: async () => void (await Promise.all([proving.close(), broker.close()])),
    });
    return { target, connection: () => proving.connection() };
  } catch (error) {
    await broker.close();
    throw error;
  }
}

function toRowsEncoding(
  of: Pick<RowsEncodingOptions, 'broker' | 'place' | 'database' | 'settings'>,
  rows: RowsDefinition,
  { settings, side, onStep }: StreamOptions,
): RowsEncoding {
  const { format, numeric, arrays, floats, registry: at, readers = [], transactionMegabytes = 1024, transactionMinutes = 15 } = rows;
  const choices = { ...usualChoices, ...(numeric && { numeric }), ...(arrays && { arrays }), ...(floats && { floats }) };
  const client = new HttpClient({ hosts: settings.BAUTA_HTTP_HOSTS });
  const registry =
    at &&
    new SchemaRegistry({
      url: at.url,
      send: (request) => (at.url.startsWith('http:') ? sendLocally(request) : client.send(request)),
      ...(side.registryLogin !== undefined && { authorization: `Basic ${Buffer.from(side.registryLogin).toString('base64')}` }),
    });
  const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string };
  return new RowsEncoding({
    ...{ ...of, version, clock: systemClock, onCommit: () => onStep?.('publish.commit') },
    rows: {
      format,
      choices,
      registry,
      readers,
      transactionBytes: transactionMegabytes * 2 ** 20,
      transactionMs: transactionMinutes * minuteMs,
    },
  });
}

async function readRevoked(home: string, environment: string): Promise<ReadonlySet<string>> {
  const { agents } = await readAgentRegister(home, environment);
  return new Set(agents.flatMap(({ agentId, revokedAt }) => (revokedAt === null ? [] : [agentId])));
}

/** Started by the first use: who only asks what there is proves nothing. */
class Proving {
  #server: Promise<ProvingServer> | undefined;
  #connection: ConnectionTarget | undefined;
  #target: Promise<Target> | undefined;

  constructor(
    private readonly database: string,
    private readonly named: ConnectionTarget | undefined,
    private readonly verifiers: readonly Verifier[],
    private readonly connections: number,
  ) {}

  target(): Promise<Target> {
    return (this.#target ??= this.#open());
  }

  async #open(): Promise<Target> {
    if (!this.named) this.#server = startProving(this.database);
    this.#connection = this.named ?? (await this.#server!).connection;
    const settings = { loadConnections: this.connections, finishConnections: this.connections };
    return openTarget({ connection: this.#connection, settings, clock: systemClock, verifiers: this.verifiers, onlyToProve: true });
  }

  connection(): ConnectionTarget {
    if (!this.#connection) throw toError('STAGING_CLOSED');
    return this.#connection;
  }

  async close(): Promise<void> {
    // One that never started was said to whoever asked for it.
    const server = await this.#server?.catch(() => undefined);
    try {
      await (await this.#target?.catch(() => undefined))?.close();
    } catch (error) {
      // What cannot be dropped there goes with a server of the run's own.
      if (!server) throw error;
    } finally {
      await server?.close();
    }
  }
}
