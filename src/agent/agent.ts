// The agent: beside a test environment, with its database and without any credential of production. Settings and references become a home, a broker and a
// database. The door of this folder.
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseSettings } from '../config/settings.js';
import { systemClock, toTimestamp } from '../kernel/clock.js';
import { toPrivateKey, toPublicKey } from '../kernel/ed25519.js';
import { type BautaError, toError, toKnownError } from '../kernel/errors.js';
import { newIdentity } from '../systems/archive/archive.js';
import { type AgentEnrolment, AgentHome, withWriteLock } from '../systems/files/files.js';
import { type AgentPlace, type Broker, openBroker, parseToken, resolveBroker } from '../systems/kafka/kafka.js';
import { type ConnectionTarget, openTarget, resolveConnection } from '../systems/postgres/postgres.js';
import { Agent } from './work.js';
import { enrol, toTopicPlace } from './enrol.js';
import { AgentMetrics } from './metrics.js';
import { Receipts } from './receipts.js';
import { Refusals } from './refusals.js';

export interface StartOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Before those of the settings. */
  readonly home?: string | undefined;
  readonly broker?: string | undefined;
  readonly target?: string | undefined;
  /** A file with an enrolment token; needed once. */
  readonly tokenFile?: string | undefined;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Until the signal. Throws AGENT_*, BROKER_*, CONNECTION_*. */
export async function startAgent(options: StartOptions): Promise<void> {
  const settings = parseSettings(options.environment);
  const folder = options.home ?? `${settings.BAUTA_HOME}/agent`;
  const home = await AgentHome.open(folder, systemClock.now(), newIdentity);
  try {
    await withWriteLock(folder, () => serveFrom(home, options), 500);
  } catch (error) {
    const known = toKnownError(error);
    throw known.code === 'AUDIT_LOCKED' ? toError('AGENT_HOME_TAKEN', { file: folder }) : known;
  }
}

async function serveFrom(home: AgentHome, options: StartOptions): Promise<void> {
  const { signal, say, environment } = options;
  const settings = parseSettings(environment);
  const connection: ConnectionTarget = {
    ...(await resolveConnection(required('--target', options.target ?? settings.BAUTA_AGENT_TARGET), environment, readText)),
    connectTimeoutMs: settings.BAUTA_CONNECT_TIMEOUT_MS,
  };
  const open = (): Promise<Broker> => openAgentBroker(required('--broker', options.broker ?? settings.BAUTA_AGENT_BROKER), options);
  const metrics = new AgentMetrics();
  const server = settings.BAUTA_AGENT_PORT > 0 ? await metrics.listen(settings.BAUTA_AGENT_PORT, settings.BAUTA_AGENT_HOST) : undefined;
  try {
    const enrolment = await findEnrolment(home, options, connection, open);
    if (!enrolment) return;
    say(`agent ${home.identity.agentId} of ${enrolment.environment} is at work; Ctrl-C stops it`);
    await serve({ home, enrolment, connection, metrics, open, options });
  } finally {
    server?.closeAllConnections();
    await closed(server);
  }
  if (signal.aborted) say('agent stopped; it goes on where it stood');
}

interface Serving {
  readonly home: AgentHome;
  readonly enrolment: AgentEnrolment;
  readonly connection: ConnectionTarget;
  readonly metrics: AgentMetrics;
  readonly open: () => Promise<Broker>;
  readonly options: StartOptions;
}

async function serve({ home, enrolment, connection, metrics, open, options: { signal, say } }: Serving): Promise<void> {
  const broker = await untilOpen(open, signal, say);
  if (!broker) return;
  const key = toPrivateKey(home.identity.seed);
  const serviceKey = toPublicKey(Buffer.from(enrolment.serviceKey, 'hex'));
  const place = toTopicPlace(enrolment);
  const receipts = new Receipts({ broker, home, enrolment, place, key, clock: systemClock });
  const refusals = new Refusals(receipts, home.identity.agentId);
  try {
    const doors = { home, key, serviceKey, enrolment, place, broker, connection, receipts, refusals, metrics, clock: systemClock, say };
    await new Agent(doors).serve(signal);
  } finally {
    await refusals.close();
    await receipts.close();
    await broker.close();
  }
}

/** The one of an earlier start, or a new one by the token. Undefined when the signal came before the service answered. */
async function findEnrolment(
  home: AgentHome,
  { tokenFile, environment, signal, say }: StartOptions,
  connection: ConnectionTarget,
  open: () => Promise<Broker>,
): Promise<AgentEnrolment | undefined> {
  const known = await home.readEnrolment();
  if (known) return known;
  const file = tokenFile ?? parseSettings(environment).BAUTA_AGENT_TOKEN;
  if (!file) throw toError('AGENT_NOT_ENROLLED');
  const text = await readText(file).catch(() => {
    throw toError('AGENT_TOKEN_INVALID');
  });
  const token = parseToken(text, systemClock.now());
  const place = await readPlace(connection);
  const broker = await untilOpen(open, signal, say);
  if (!broker) return undefined;
  say(`agent ${home.identity.agentId} asks to be enrolled for ${token.environment}, database ${place.database}`);
  try {
    return await enrol({ home, broker, token, place, clock: systemClock, signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    await broker.close();
  }
}

async function readPlace(connection: ConnectionTarget): Promise<AgentPlace> {
  const target = openTarget({ connection, settings: {}, clock: systemClock });
  try {
    const { server, database } = await target.place();
    return { database, systemIdentifier: server };
  } finally {
    await target.close();
  }
}

async function openAgentBroker(reference: string, { environment }: StartOptions): Promise<Broker> {
  const read = async (one: string): Promise<string | undefined> => {
    const [, kind, rest = ''] = /^(env|file):(.+)$/s.exec(one) ?? [];
    return kind === 'env' ? environment[rest] : kind === 'file' ? await readText(rest).catch(() => undefined) : undefined;
  };
  const { BAUTA_CONNECT_TIMEOUT_MS: connectTimeoutMs, BAUTA_BROKER_WAIT_MS: patienceMs } = parseSettings(environment);
  return openBroker(await resolveBroker(reference, await read(reference), read), { connectTimeoutMs, patienceMs, stage: 'deliver' });
}

/** A broker that is away is waited for: it may well start after the agent. */
async function untilOpen(open: () => Promise<Broker>, signal: AbortSignal, say: (line: string) => void): Promise<Broker | undefined> {
  while (!signal.aborted) {
    try {
      return await open();
    } catch (error) {
      const known: BautaError = toKnownError(error);
      if (known.class !== 'UnavailableError') throw known;
      say(`${toTimestamp(systemClock.now())} ${known.code}; it is tried again`);
      await sleep(2000, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

const readText = (path: string): Promise<string> => readFile(path, 'utf8');

function required(name: string, value: string): string {
  if (value === '') throw toError('SETTING_MISSING', { name, expected: 'env:NAME or file:PATH' });
  return value;
}

function closed(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => (server ? server.close(() => resolve()) : resolve()));
}
