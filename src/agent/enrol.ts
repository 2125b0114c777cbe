// Once: the agent shows that it has a token, and hears from the service that it was taken. It asks again until then, because the service may look only now
// and then, and the broker may lose what it said.
import { setTimeout as sleep } from 'node:timers/promises';

import { type Clock, toTimestamp } from '../kernel/clock.js';
import { toPrivateKey, toPublicKey } from '../kernel/ed25519.js';
import { toError } from '../kernel/errors.js';
import { toRecipient } from '../systems/archive/archive.js';
import type { AgentEnrolment, AgentHome } from '../systems/files/files.js';
import {
  type AgentPlace, type AgentToken, type Broker, MessageReader, type TopicPlace, parseAgent, readControl, toControlTopic, toReceiptsTopic, writeEnrolment,
} from '../systems/kafka/kafka.js'; // prettier-ignore

const ASK_AGAIN_MS = 10_000;

export interface Enrolling {
  readonly home: AgentHome;
  readonly broker: Broker;
  readonly token: AgentToken;
  /** Where it delivers to. */
  readonly place: AgentPlace;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export const toTopicPlace = ({ prefix, workspace, environment }: AgentToken | AgentEnrolment): TopicPlace => ({
  ...(prefix !== undefined && { prefix }),
  workspace,
  environment,
});

/** Resolves when the service has said that it took this agent. Throws AGENT_TOKEN_EXPIRED. */
export async function enrol(enrolling: Enrolling): Promise<AgentEnrolment> {
  const { home, broker, token, signal } = enrolling;
  const { environment, workspace, prefix, serviceKey } = token;
  const enrolment = { environment, workspace, ...(prefix !== undefined && { prefix }), serviceKey };
  const heard = new AbortController();
  const hearing = hear(enrolling, AbortSignal.any([signal, heard.signal]));
  const asking = ask(enrolling, AbortSignal.any([signal, heard.signal]));
  try {
    await Promise.race([hearing, asking]);
    signal.throwIfAborted();
  } finally {
    heard.abort();
    await Promise.allSettled([hearing, asking]);
  }
  const known: AgentEnrolment = { ...enrolment, enrolled: true };
  await home.keepEnrolment(known);
  await broker.close();
  return known;
}

async function ask({ home, broker, token, place, clock }: Enrolling, signal: AbortSignal): Promise<void> {
  const { agentId, seed, identity } = home.identity;
  const recipient = await toRecipient(identity);
  const producer = await broker.producer();
  while (!signal.aborted) {
    if (Date.parse(token.expiresAt) <= clock.now()) throw toError('AGENT_TOKEN_EXPIRED', { expected: token.expiresAt });
    const of = { agentId, sequence: await home.nextReceipt(), at: toTimestamp(clock.now()), recipient, place };
    await producer.send({ topic: toReceiptsTopic(toTopicPlace(token)), records: writeEnrolment(token, of, toPrivateKey(seed)) });
    await sleep(ASK_AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function hear({ home, broker, token, clock }: Enrolling, signal: AbortSignal): Promise<void> {
  const { environment, workspace } = token;
  const known = new MessageReader('control', toPublicKey(Buffer.from(token.serviceKey, 'hex')));
  const reader = await broker.reader({ topic: toControlTopic(toTopicPlace(token)), signal });
  const { agentId, identity } = home.identity;
  const recipient = await toRecipient(identity);
  while (!signal.aborted) {
    for (const record of await reader.read()) {
      const message = { key: record.key, value: record.value, headers: Object.fromEntries(record.headers) };
      const found = readControl(known, message, { environment, workspace, highest: 0, nowMs: clock.now() });
      if (!found || 'problem' in found || found.message.type !== 'enrolled' || found.message.runId !== agentId) continue;
      if (parseAgent(found.message.body)?.recipient === recipient) return;
    }
  }
}
