// `bauta agents`: who may load what this home sends to an environment through a broker. A token is printed once; whoever answers by it is taken when
// somebody lists, or waits.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseSettings } from '../config/settings.js';
import { openKeys } from '../control/open-keys.js';
import { findStreamKey } from '../control/stream-key.js';
import type { Json } from '../kernel/canonical-json.js';
import { systemClock, toTimestamp } from '../kernel/clock.js';
import { toPublicBytes } from '../kernel/ed25519.js';
import { InputError, toError } from '../kernel/errors.js';
import {
  type AgentRegister, FileAuditSink, type RegisteredAgent, changeAgentRegister, readAgentRegister,
} from '../systems/files/files.js'; // prettier-ignore
import {
  type EnrolmentPlace, type HeardAgents, createToken, hearAgents, makeAgentTopics, openBroker, resolveBroker, silent, tellAgent, toStanding,
} from '../systems/kafka/kafka.js'; // prettier-ignore
import { type AgentView, type AgentsOptions, tellAgents, tellToken } from './agents-text.js';
import { userName } from './compose.js';
import { findServer } from './server.js';

const actions = ['invite', 'list', 'revoke'];
const [shortestMs, longestMs] = [15 * 60_000, 7 * 86_400_000];

export async function agents(action: string, environment: string, agent: string | undefined, options: AgentsOptions): Promise<number> {
  if (!actions.includes(action)) throw toError('OPTION_INVALID', { name: 'the action', expected: actions.join(', ') });
  if (options.lasts !== undefined && (options.lasts < shortestMs || options.lasts > longestMs))
    throw new InputError('OPTION_INVALID', { name: '--lasts', expected: 'from 15m to 168h' });
  if (action === 'revoke' && agent === undefined)
    throw new InputError('OPTION_MISSING', { name: 'the id of an agent', expected: 'bauta agents --help' });
  const server = await findServer(options);
  if (server) return (await import('./agents-remote.js')).agentsRemote(server, { action, environment, agent: agent ?? '' }, options);
  const variables = options.environment ?? process.env;
  const settings = parseSettings(variables);
  const home = options.home ?? settings.BAUTA_HOME;
  if (options.broker === undefined) throw new InputError('OPTION_MISSING', { name: '--broker', expected: 'bauta agents --help' });
  const keys = await openKeys(home, settings);
  const sink = new FileAuditSink({ home, period: settings.BAUTA_LOG_PERIOD });
  const broker = await openBroker(
    await resolveBroker(options.broker, await read(options.broker, variables), (one) => read(one, variables)),
  );
  try {
    const key = await findStreamKey(keys.open({ purpose: 'transport', workspace: 'default', environment }));
    const place = { workspace: 'local', environment, ...(options.prefix !== undefined && { prefix: options.prefix }) };
    const of: Home = { at: { broker, place, key, clock: systemClock }, home, sink };
    await makeAgentTopics(of.at);
    if (action === 'invite') return await invite(of, options);
    if (action === 'revoke') return await revoke(of, agent ?? '', options);
    return tell(await accept(of), options);
  } finally {
    await broker.close();
    await sink.close();
    await keys.close();
  }
}

async function read(reference: string, variables: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  const [, kind, rest = ''] = /^(env|file):(.+)$/s.exec(reference) ?? [];
  return kind === 'env' ? variables[rest] : kind === 'file' ? await readFile(rest, 'utf8').catch(() => undefined) : undefined;
}

interface Home {
  readonly at: EnrolmentPlace;
  readonly home: string;
  readonly sink: FileAuditSink;
}

async function audit({ at, sink }: Home, type: string, data: Readonly<Record<string, Json>>): Promise<void> {
  const told = { environment: at.place.environment, ...data, actor: await sink.identify(userName()) };
  await sink.append({ runId: '', stage: 'control', type, at: toTimestamp(systemClock.now()), data: told });
}

async function invite(of: Home, options: AgentsOptions): Promise<number> {
  const { at, home } = of;
  const expiresAt = toTimestamp(systemClock.now() + (options.lasts ?? 3_600_000));
  const { environment } = at.place;
  const { token, invite: made } = createToken({ ...at.place, serviceKey: toPublicBytes(at.key).toString('hex'), expiresAt });
  await audit(of, 'agent.invited', { token: made.tokenId, expiresAt });
  const before = await changeAgentRegister(home, environment, (register) => ({ ...register, invites: [...toOpen(register), made] }));
  tellToken({ token, environment, expiresAt }, options);
  if (options.wait === undefined) return 0;
  const until = performance.now() + options.wait;
  while (performance.now() < until) {
    const { register } = await accept(of);
    if (register.agents.length > before.agents.length) return 0;
    await sleep(1000);
  }
  throw toError('TIMEOUT_PASSED', { amount: `${options.wait / 1000} s` });
}

const toOpen = ({ invites }: AgentRegister): AgentRegister['invites'] =>
  invites.filter(({ expiresAt }) => Date.parse(expiresAt) > systemClock.now());

interface Accepted {
  readonly register: AgentRegister;
  readonly heard: HeardAgents;
}

/** Takes whom a token let in. Told before it is kept: cut short between the two, the token is still open, and it is told again. */
async function accept(of: Home): Promise<Accepted> {
  const { at, home } = of;
  const { environment } = at.place;
  const known = await readAgentRegister(home, environment);
  const heard = await hearAgents(at, { invites: known.invites, agents: known.agents.map((one) => ({ ...one, highest: 0 })) });
  for (const [problem, amount] of heard.problems) process.stderr.write(`${amount} requests were refused: ${problem}\n`);
  let register = known;
  for (const { tokenId, ...request } of heard.requests) {
    if (register.agents.some(({ agentId }) => agentId === request.agentId)) continue;
    const agent: RegisteredAgent = { ...request, enrolledAt: toTimestamp(systemClock.now()), revokedAt: null };
    const { agentId, publicKey, place } = agent;
    await audit(of, 'agent.enrolled', {
      agent: agentId,
      token: tokenId,
      publicKey,
      database: place.database,
      server: place.systemIdentifier,
    });
    await tellAgent(at, 'enrolled', agent);
    register = await changeAgentRegister(home, environment, ({ invites, agents: there }) => ({
      invites: invites.filter((one) => one.tokenId !== tokenId),
      agents: [...there, agent],
    }));
  }
  return { register, heard };
}

async function revoke(of: Home, agentId: string, options: AgentsOptions): Promise<number> {
  const { at, home } = of;
  const { environment } = at.place;
  const agent = (await readAgentRegister(home, environment)).agents.find((one) => one.agentId === agentId);
  if (!agent) throw toError('AGENT_UNKNOWN', { name: agentId, expected: environment });
  const revokedAt = toTimestamp(systemClock.now());
  await audit(of, 'agent.revoked', { agent: agentId });
  await changeAgentRegister(home, environment, ({ invites, agents: there }) => ({
    invites,
    agents: there.map((one) => (one.agentId === agentId ? { ...one, revokedAt: one.revokedAt ?? revokedAt } : one)),
  }));
  await tellAgent(at, 'revoked', agent);
  return tell(await accept(of), options);
}

function tell({ register, heard }: Accepted, options: AgentsOptions): number {
  const views = register.agents.map((agent): AgentView => {
    const of = heard.receipts.filter(({ agentId }) => agentId === agent.agentId);
    const { state, runId, lastSeenAt, progress, refused } = toStanding(silent, of);
    return { ...agent, state, runId, lastSeenAt, progress, refused };
  });
  const invites = toOpen(register).map(({ tokenId, expiresAt }) => ({ tokenId, expiresAt }));
  return tellAgents(views, invites, options);
}
