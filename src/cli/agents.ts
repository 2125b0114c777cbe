// `bauta agents`: who may load what this home sends to an environment through a broker. A token is printed once; whoever answers by it is taken when
// somebody lists, or waits.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseSettings } from '../config/settings.js';
import { openKeys } from '../control/open-keys.js';
import { findStreamKey } from '../control/stream-key.js';
import { systemClock, toTimestamp } from '../kernel/clock.js';
import { toPublicBytes } from '../kernel/ed25519.js';
import { InputError, toError } from '../kernel/errors.js';
import { type AgentRegister, type RegisteredAgent, changeAgentRegister, readAgentRegister } from '../systems/files/files.js';
import {
  type EnrolmentPlace, createToken, findEnrolments, makeAgentTopics, openBroker, resolveBroker, tellAgent,
} from '../systems/kafka/kafka.js'; // prettier-ignore
import { type GlobalOptions, wantsJson } from './context.js';
import { stripControls, toTable, writeJson } from './print.js';

export interface AgentsOptions extends GlobalOptions {
  /** `env:NAME` or `file:PATH`. */
  readonly broker: string;
  readonly prefix?: string;
  /** How long a token may be used, in ms. */
  readonly lasts?: number;
  /** With invite: until the agent is enrolled, no longer than this, in ms. */
  readonly wait?: number;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const actions = ['invite', 'list', 'revoke'];
const [shortestMs, longestMs] = [15 * 60_000, 7 * 86_400_000];

export async function agents(action: string, environment: string, agent: string | undefined, options: AgentsOptions): Promise<number> {
  if (!actions.includes(action)) throw toError('OPTION_INVALID', { name: 'the action', expected: actions.join(', ') });
  const variables = options.environment ?? process.env;
  const settings = parseSettings(variables);
  const home = options.home ?? settings.BAUTA_HOME;
  const keys = await openKeys(home, settings);
  const read = async (reference: string): Promise<string | undefined> => {
    const [, kind, rest = ''] = /^(env|file):(.+)$/s.exec(reference) ?? [];
    return kind === 'env' ? variables[rest] : kind === 'file' ? await readFile(rest, 'utf8').catch(() => undefined) : undefined;
  };
  const broker = await openBroker(await resolveBroker(options.broker, await read(options.broker), read));
  try {
    const key = await findStreamKey(keys.open({ purpose: 'transport', workspace: 'default', environment }));
    const place = { workspace: 'local', environment, ...(options.prefix !== undefined && { prefix: options.prefix }) };
    const at = { broker, place, key, clock: systemClock };
    await makeAgentTopics(at);
    if (action === 'invite') return await invite(at, home, options);
    if (action === 'revoke') return await revoke(at, home, agent, options);
    return tell(await accept(at, home), options);
  } finally {
    await broker.close();
    await keys.close();
  }
}

async function invite(at: EnrolmentPlace, home: string, options: AgentsOptions): Promise<number> {
  const lasts = options.lasts ?? 3_600_000;
  if (lasts < shortestMs || lasts > longestMs) throw new InputError('OPTION_INVALID', { name: '--lasts', expected: 'from 15m to 168h' });
  const expiresAt = toTimestamp(systemClock.now() + lasts);
  const { environment } = at.place;
  const { token, invite: made } = createToken({ ...at.place, serviceKey: toPublicBytes(at.key).toString('hex'), expiresAt });
  const before = await changeAgentRegister(home, environment, (register) => ({ ...register, invites: [...toOpen(register), made] }));
  if (wantsJson(options)) writeJson({ token, environment, expiresAt, findings: [] });
  else {
    process.stdout.write(`${token}\n`);
    process.stderr.write(`for one agent of ${stripControls(environment)}, until ${expiresAt}; it is shown once\n`);
  }
  if (options.wait === undefined) return 0;
  const until = performance.now() + options.wait;
  while (performance.now() < until) {
    const { agents: now } = await accept(at, home);
    if (now.length > before.agents.length) return 0;
    await sleep(1000);
  }
  throw toError('TIMEOUT_PASSED', { amount: `${options.wait / 1000} s` });
}

const toOpen = ({ invites }: AgentRegister): AgentRegister['invites'] =>
  invites.filter(({ expiresAt }) => Date.parse(expiresAt) > systemClock.now());

/** Takes whom a token let in. Told before it is kept: cut short between the two, the token is still open, and it is told again. */
async function accept(at: EnrolmentPlace, home: string): Promise<AgentRegister> {
  const { environment } = at.place;
  const known = await readAgentRegister(home, environment);
  const { requests, problems } = await findEnrolments(at, known.invites);
  for (const [problem, amount] of problems) process.stderr.write(`${amount} requests were refused: ${problem}\n`);
  let register = known;
  for (const { tokenId, ...request } of requests) {
    if (register.agents.some(({ agentId }) => agentId === request.agentId)) continue;
    const agent: RegisteredAgent = { ...request, enrolledAt: toTimestamp(systemClock.now()), revokedAt: null };
    await tellAgent(at, 'enrolled', agent);
    register = await changeAgentRegister(home, environment, ({ invites, agents: there }) => ({
      invites: invites.filter((one) => one.tokenId !== tokenId),
      agents: [...there, agent],
    }));
  }
  return register;
}

async function revoke(at: EnrolmentPlace, home: string, agentId: string | undefined, options: AgentsOptions): Promise<number> {
  if (agentId === undefined) throw new InputError('OPTION_MISSING', { name: 'the id of an agent', expected: 'bauta agents --help' });
  const { environment } = at.place;
  const agent = (await readAgentRegister(home, environment)).agents.find((one) => one.agentId === agentId);
  if (!agent) throw toError('AGENT_UNKNOWN', { name: agentId, expected: environment });
  const revokedAt = toTimestamp(systemClock.now());
  const register = await changeAgentRegister(home, environment, ({ invites, agents: there }) => ({
    invites,
    agents: there.map((one) => (one.agentId === agentId ? { ...one, revokedAt: one.revokedAt ?? revokedAt } : one)),
  }));
  await tellAgent(at, 'revoked', agent);
  return tell(register, options);
}

function tell({ agents: known, invites }: AgentRegister, options: AgentsOptions): number {
  if (wantsJson(options))
    writeJson({ agents: known, invites: invites.map(({ tokenId, expiresAt }) => ({ tokenId, expiresAt })), findings: [] });
  else {
    const rows = known.map(({ agentId, place, enrolledAt, revokedAt }) => [agentId, place.database, enrolledAt, revokedAt ?? '']);
    process.stdout.write(`${toTable([['AGENT', 'DATABASE', 'ENROLLED', 'REVOKED'], ...rows], '')}\n`);
    const open = invites.filter(({ expiresAt }) => Date.parse(expiresAt) > systemClock.now()).length;
    if (open > 0) process.stderr.write(`${open} tokens are open\n`);
  }
  return 0;
}
