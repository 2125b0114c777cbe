// `bauta agents list`, for people and as JSON: the same of a home and of a service.
import type { AgentStanding } from '../systems/kafka/kafka.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { stripControls, toCount, toTable, writeJson } from './print.js';

export interface AgentsOptions extends GlobalOptions {
  /** `env:NAME` or `file:PATH`; of a service the documents say it. */
  readonly broker?: string;
  readonly prefix?: string;
  /** How long a token may be used, in ms. */
  readonly lasts?: number;
  /** With invite: until the agent is enrolled, no longer than this, in ms. */
  readonly wait?: number;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface AgentView extends Omit<AgentStanding, 'highest'> {
  readonly agentId: string;
  readonly publicKey: string;
  readonly recipient: string;
  readonly place: { readonly database: string; readonly systemIdentifier: string };
  readonly enrolledAt: string;
  readonly revokedAt: string | null;
}

export interface InviteView {
  readonly tokenId: string;
  readonly expiresAt: string;
}

export interface TokenView {
  readonly token: string;
  readonly environment: string;
  readonly expiresAt: string;
}

export function tellToken({ token, environment, expiresAt }: TokenView, options: GlobalOptions): void {
  if (wantsJson(options)) return writeJson({ token, environment, expiresAt, findings: [] });
  process.stdout.write(`${token}\n`);
  process.stderr.write(`for one agent of ${stripControls(environment)}, until ${expiresAt}; it is shown once\n`);
}

export function tellAgents(agents: readonly AgentView[], invites: readonly InviteView[], options: GlobalOptions): number {
  if (wantsJson(options)) {
    writeJson({ agents, invites, findings: [] });
    return 0;
  }
  const rows = agents.map(({ agentId, place, state, progress, lastSeenAt, enrolledAt, revokedAt }) => [
    ...[agentId, place.database, revokedAt === null ? state : 'revoked', progress ? toCount(progress.lag, 'record') : ''],
    ...[lastSeenAt ?? '', enrolledAt, revokedAt ?? ''],
  ]);
  const head = ['AGENT', 'DATABASE', 'STATE', 'BEHIND', 'LAST SEEN', 'ENROLLED', 'REVOKED'];
  process.stdout.write(`${toTable([head, ...rows.map((row) => row.map((text) => stripControls(text)))], '')}\n`);
  for (const { agentId, refused } of agents)
    for (const { topic, problem, amount } of refused) process.stderr.write(`${agentId} refused ${amount} on ${topic}: ${problem}\n`);
  if (invites.length > 0) process.stderr.write(`${toCount(invites.length, 'token')} ${invites.length === 1 ? 'is' : 'are'} open\n`);
  return 0;
}
