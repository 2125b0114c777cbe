// The service's side of enrolment: who asks on the receipts topic is held against the tokens that are open, and told on the control topic that he was taken.
import type { KeyObject } from 'node:crypto';

import type { Json } from '../../kernel/canonical-json.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toPublicBytes, toPublicKey } from '../../kernel/ed25519.js';
import type { Broker } from './broker.js';
import { type EnrolmentProblem, type EnrolmentRequest, type Invite, readEnrolment } from './wire/enrolment.js';
import { type ControlMessage, MessageReader, writeControl } from './wire/message.js';
import { type TopicPlace, toControlTopic, toReceiptsTopic } from './wire/topic-names.js';

export interface EnrolmentPlace {
  readonly broker: Broker;
  readonly place: TopicPlace;
  /** Of the environment's stream. */
  readonly key: KeyObject;
  readonly clock: Clock;
}

/** An enrolment holds until it is revoked: its message lasts as long as any clock. */
const FOR_EVER = '9999-12-31T23:59:59.999Z';

/** Both topics of the environment, as they have to be; what is there stays as it is. */
export async function makeAgentTopics({ broker, place }: EnrolmentPlace, replication?: number): Promise<void> {
  const admin = await broker.admin();
  const more = { partitions: 1, ...(replication !== undefined && { replication }) };
  const retentionMs = 30 * 86_400_000;
  try {
    await admin.create({ topic: toControlTopic(place), compacted: true, ...more }, { topic: toReceiptsTopic(place), retentionMs, ...more });
  } finally {
    await admin.close();
  }
}

/** Requests by tokens that are open, the first of each, and what was wrong with others. Each agent and token once. */
export async function findEnrolments(
  { broker, place, clock }: EnrolmentPlace,
  invites: readonly Invite[],
): Promise<{ readonly requests: readonly EnrolmentRequest[]; readonly problems: ReadonlyMap<EnrolmentProblem, number> }> {
  const requests = new Map<string, EnrolmentRequest>();
  const problems = new Map<EnrolmentProblem, number>();
  if (invites.length === 0) return { requests: [], problems };
  const reader = await broker.reader({ topic: toReceiptsTopic(place), waitMs: 100 });
  try {
    const ends = await reader.askEnds();
    while ([...ends].some(([partition, end]) => (reader.positions.get(partition) ?? 0n) < end))
      for (const { key, value, headers } of await reader.read()) {
        const record = { key, value, headers: Object.fromEntries(headers) };
        const { workspace, environment } = place;
        const found = readEnrolment(record, { workspace, environment, nowMs: clock.now(), invites });
        if (found && 'problem' in found) problems.set(found.problem, (problems.get(found.problem) ?? 0) + 1);
        else if (found && !requests.has(found.request.tokenId)) requests.set(found.request.tokenId, found.request);
      }
    return { requests: [...requests.values()], problems };
  } finally {
    await reader.close();
  }
}

/** What an agent hears as soon as it looks. Above every number that stands there. */
export async function tellAgent(
  { broker, place, key, clock }: EnrolmentPlace,
  type: 'enrolled' | 'revoked',
  { agentId, publicKey, recipient }: { readonly agentId: string; readonly publicKey: string; readonly recipient: string },
): Promise<void> {
  const highest = await readHighest({ broker, place, key, clock });
  const { workspace, environment } = place;
  const body: Json = { publicKey, recipient };
  const message: ControlMessage = {
    ...{ v: 1, type, environment, workspace, runId: agentId, sequence: Math.max(highest + 1, clock.now()), body },
    ...{ issuedAt: toTimestamp(clock.now()), expiresAt: FOR_EVER },
  };
  const producer = await broker.producer();
  try {
    await producer.send({ topic: toControlTopic(place), records: writeControl(message, key) });
  } finally {
    await producer.close();
  }
}

async function readHighest({ broker, place, key }: EnrolmentPlace): Promise<number> {
  const messages = new MessageReader('control', toPublicKey(toPublicBytes(key)));
  const reader = await broker.reader({ topic: toControlTopic(place), waitMs: 100 });
  let highest = 0;
  try {
    const ends = await reader.askEnds();
    while ([...ends].some(([partition, end]) => (reader.positions.get(partition) ?? 0n) < end))
      for (const { key: name, value, headers } of await reader.read()) {
        const read = messages.read({ key: name, value, headers: Object.fromEntries(headers) });
        if (!read || 'problem' in read) continue;
        const { sequence } = JSON.parse(read.message.text) as { readonly sequence?: unknown };
        if (Number.isSafeInteger(sequence)) highest = Math.max(highest, sequence as number);
      }
    return highest;
  } finally {
    await reader.close();
  }
}
