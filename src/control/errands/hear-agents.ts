// What a worker does for the agents of an environment: it takes whom a token lets in, tells who was let go, and hears what they say. What they said
// is in the log once; a look that another one overtook tells nothing.
import type { Settings } from '../../config/settings.js';
import type { Json } from '../../kernel/canonical-json.js';
import { systemClock, toTimestamp } from '../../kernel/clock.js';
import { toPublicBytes } from '../../kernel/ed25519.js';
import { toError } from '../../kernel/errors.js';
import {
  type AgentStanding, type EnrolmentPlace, type HeardAgents, type HeardReceipt, hearAgents, makeAgentTopics, openBroker, silent, tellAgent, toStanding,
} from '../../systems/kafka/kafka.js'; // prettier-ignore
import type { AgentInvite, AgentRow, AgentStream, ErrandRow, Metadata, Transaction } from '../../systems/metadata/metadata.js';
import { openKeys } from '../open-keys.js';
import type { StoredRequest } from '../runs/runs.js';
import { findStreamKey } from '../stream-key.js';

interface Known {
  readonly stream: AgentStream;
  readonly agents: readonly AgentRow[];
  readonly invites: readonly AgentInvite[];
}

/** What a token says beside its secret, for whoever made one. */
export async function hearHere(
  { metadata, settings }: { readonly metadata: Metadata; readonly settings: Settings },
  workspaceId: string,
  { environment }: Pick<ErrandRow, 'environment'>,
  { request, stream: side, workspace }: StoredRequest,
): Promise<Json> {
  const { kafka, class: environmentClass } = request.pipeline.body.target;
  if (!kafka || !side) throw toError('AGENTS_NOT_DECLARED', { name: environment });
  const place = { workspace, environment, ...(kafka.prefix !== undefined && { prefix: kafka.prefix }) };
  const broker = await openBroker(side.broker, { connectTimeoutMs: settings.BAUTA_CONNECT_TIMEOUT_MS });
  const keys = await openKeys(settings.BAUTA_HOME, settings);
  try {
    const key = await findStreamKey(keys.open({ purpose: 'transport', workspace, environment }));
    const at = { broker, place, key, clock: systemClock };
    const mayCreate = environmentClass === 'dev' || environmentClass === 'ci' || kafka.topics === 'create';
    if (mayCreate) await makeAgentTopics(at, kafka.replication);
    await hear(metadata, workspaceId, at);
    return { ...place, serviceKey: toPublicBytes(key).toString('hex') };
  } finally {
    await broker.close();
    await keys.close();
  }
}

async function hear(metadata: Metadata, workspaceId: string, at: EnrolmentPlace): Promise<void> {
  const { environment } = at.place;
  const known = await metadata.within(workspaceId, async ({ agents }): Promise<Known | undefined> => {
    const stream = await agents.stream(environment);
    return stream && { stream, agents: await agents.of(environment), invites: await agents.invites(environment, false) };
  });
  if (!known) return;
  const positions = known.stream.positions ?? undefined;
  const heard = await hearAgents(at, {
    invites: known.invites.map((one) => ({ ...one, expiresAt: toTimestamp(one.expiresAt.getTime()) })),
    agents: known.agents.map((one) => ({ ...one, highest: toKnownStanding(one).highest })),
    from: positions && new Map(Object.entries(positions).map(([partition, offset]) => [Number(partition), BigInt(offset)])),
  });
  // Told before it is kept: cut short between the two, it is told again.
  const asking = heard.requests.filter(({ agentId }) => !known.agents.some((one) => one.agentId === agentId));
  const isOpen = ({ tokenId }: { readonly tokenId: string }): boolean =>
    known.invites.some((one) => one.tokenId === tokenId && !one.usedAt);
  const [requests, late] = [asking.filter(isOpen), asking.filter((one) => !isOpen(one))];
  for (const request of requests) await tellAgent(at, 'enrolled', request);
  const untold = known.agents.filter(({ revokedAt, revocationToldAt }) => revokedAt !== null && revocationToldAt === null);
  for (const agent of untold) await tellAgent(at, 'revoked', agent);
  await metadata.within(workspaceId, async (transaction) => {
    const now = await transaction.agents.stream(environment, 'FOR UPDATE');
    if (JSON.stringify(now?.positions) !== JSON.stringify(known.stream.positions)) return;
    for (const { agentId } of untold) await transaction.agents.toldRevocation(environment, agentId);
    for (const { agentId } of late)
      await transaction.tellAll('agent.refused', { environment, agent: agentId, topic: 'receipts', problem: 'used token', amount: 1 });
    await keep(transaction, environment, known, { ...heard, requests });
  });
}

const toKnownStanding = ({ standing }: AgentRow): AgentStanding => standing as unknown as AgentStanding;

async function keep(transaction: Transaction, environment: string, { agents, invites }: Known, heard: HeardAgents): Promise<void> {
  const at = toTimestamp(systemClock.now());
  for (const { tokenId, agentId, place, ...keys } of heard.requests) {
    const agent = { agentId, publicKey: keys.publicKey, recipient: keys.recipient, ...place };
    if (!(await transaction.agents.enrol(environment, agent, tokenId, silent))) continue;
    const actor = invites.find((one) => one.tokenId === tokenId)?.invitedBy;
    const data = {
      environment,
      agent: agentId,
      token: tokenId,
      publicKey: keys.publicKey,
      database: place.database,
      server: place.systemIdentifier,
    };
    await transaction.audit({ type: 'agent.enrolled', at, ...(actor !== undefined && { actor }), data });
  }
  for (const agent of agents) {
    const said = heard.receipts.filter(({ agentId }) => agentId === agent.agentId);
    if (said.length > 0) await transaction.agents.stand(environment, agent.agentId, toStanding(toKnownStanding(agent), said));
    for (const receipt of said) await tell(transaction, environment, receipt, at);
  }
  const forged = [...(heard.forged === 0 ? [] : [['unsigned or replayed', heard.forged] as const]), ...heard.problems];
  for (const [problem, amount] of forged)
    if (problem !== 'expired token' && problem !== 'unknown token')
      await transaction.tellAll('agent.refused', { environment, agent: null, topic: 'receipts', problem, amount });
  await transaction.agents.heard(
    environment,
    Object.fromEntries([...heard.positions].map(([partition, offset]) => [partition, String(offset)])),
  );
}

/** What changes the world there, and what somebody tried. How far it is with loading is no entry. */
const told: ReadonlySet<string> = new Set(['published', 'failed', 'rolled-back', 'withdrawn', 'expired']);

async function tell(transaction: Transaction, environment: string, receipt: HeardReceipt, at: string): Promise<void> {
  const { agentId: agent, type, runId, version, codes, refused, at: saidAt } = receipt;
  for (const one of refused) await transaction.tellAll('agent.refused', { environment, agent, ...one });
  if (!told.has(type)) return;
  const data = { environment, agent, ofRun: runId, saidAt, ...(version !== undefined && { version }), ...(codes.length > 0 && { codes }) };
  await transaction.audit({ type: `agent.${type}`, at, data });
}
