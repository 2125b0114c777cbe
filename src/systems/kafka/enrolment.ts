// The service's side of enrolment: the topics of an environment, and what an agent is told on the control topic: that it was taken, and that it was let go.
import type { KeyObject } from 'node:crypto';

import type { Json } from '../../kernel/canonical-json.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toPublicBytes, toPublicKey } from '../../kernel/ed25519.js';
import type { Broker } from './broker.js';
import type { AgentBody } from './wire/body.js';
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

/** What an agent hears as soon as it looks. Above every number that stands there. */
export async function tellAgent(
  { broker, place, key, clock }: EnrolmentPlace,
  type: 'enrolled' | 'revoked',
  { agentId, publicKey, recipient, place: at }: AgentBody & { readonly agentId: string },
): Promise<void> {
  const highest = await readHighest({ broker, place, key, clock });
  const { workspace, environment } = place;
  const body: Json = { publicKey, recipient, ...(at && { place: { ...at } }) };
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
