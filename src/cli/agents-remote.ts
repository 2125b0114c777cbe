// `bauta agents --server URL`: the agents of a service's workspace. A token is made here: the service gets its public half, and says what else stands in it.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { systemClock, toTimestamp } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { toInvite, toToken } from '../systems/kafka/kafka.js';
import { type AgentView, type AgentsOptions, type InviteView, tellAgents, tellToken } from './agents-text.js';
import { askErrand, toResult } from './await-errand.js';
import type { Server } from './server.js';

interface Wanted {
  readonly action: string;
  readonly environment: string;
  readonly agent: string;
}

/** As a change of /v1/agents ends. */
interface Told {
  readonly workspace: string;
  readonly environment: string;
  readonly prefix?: string;
  readonly serviceKey: string;
}

type Listed = AgentView & { readonly environment: string; readonly heardAt: string | null };

export async function agentsRemote(server: Server, { action, environment, agent }: Wanted, options: AgentsOptions): Promise<number> {
  if (options.broker !== undefined || options.prefix !== undefined)
    throw toError('OPTION_INVALID', { name: '--broker and --prefix', expected: 'not with --server: its documents say them' });
  if (action === 'invite') return invite(server, environment, options);
  if (action === 'revoke') {
    const { id } = await server.ask<{ id: string }>('DELETE', `/v1/agents/${encodeURIComponent(environment)}/${encodeURIComponent(agent)}`);
    await toResult<Told>(server, '/v1/agents/changes', id);
  }
  const address = `environment=${encodeURIComponent(environment)}`;
  const { items: invites } = await server.ask<{ items: readonly InviteView[] }>('GET', `/v1/agents/invites?${address}`);
  return tellAgents((await listThere(server, environment)).map(toLocal), invites, options);
}

const listThere = (server: Server, environment: string): Promise<readonly Listed[]> =>
  server.list<Listed>(`/v1/agents?environment=${encodeURIComponent(environment)}`);

function toLocal({ environment: _, heardAt: __, ...agent }: Listed): AgentView {
  return agent;
}

async function invite(server: Server, environment: string, options: AgentsOptions): Promise<number> {
  const before = (await listThere(server, environment)).length;
  const [secret, tokenId] = [randomBytes(32), randomBytes(8).toString('hex')];
  const minutes = Math.floor((options.lasts ?? 3_600_000) / 60_000);
  // What the service counts is a moment later: the token never says more than holds.
  const expiresAt = toTimestamp(systemClock.now() + minutes * 60_000);
  const { publicKey } = toInvite({ tokenId, secret, expiresAt });
  const { result } = await askErrand<Told>(
    ...([server, '/v1/agents/invites', { environment, tokenId, publicKey, minutes }, { seenAt: '/v1/agents/changes' }] as const),
  );
  const { workspace, prefix, serviceKey } = result;
  const token = toToken({
    environment,
    workspace,
    ...(prefix !== undefined && { prefix }),
    serviceKey,
    tokenId,
    expiresAt,
    secret: secret.toString('hex'),
  });
  tellToken({ token, environment, expiresAt }, options);
  if (options.wait === undefined) return 0;
  for (const until = performance.now() + options.wait; performance.now() < until; await sleep(1000))
    if ((await listThere(server, environment)).length > before) return 0;
  throw toError('TIMEOUT_PASSED', { amount: `${options.wait / 1000} s` });
}
