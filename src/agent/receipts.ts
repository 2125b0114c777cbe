// What the agent tells the service: signed, numbered, one after the other.
import type { KeyObject } from 'node:crypto';

import type { Json } from '../kernel/canonical-json.js';
import { type Clock, toTimestamp } from '../kernel/clock.js';
import type { Finding } from '../kernel/errors.js';
import type { AgentEnrolment, AgentHome } from '../systems/files/files.js';
import {
  type Broker,
  type ControlMessage,
  type Producer,
  type ReceiptType,
  type TopicPlace,
  toReceiptsTopic,
  writeReceipt,
} from '../systems/kafka/kafka.js';

export interface ReceiptsOf {
  readonly broker: Broker;
  readonly home: AgentHome;
  readonly enrolment: AgentEnrolment;
  readonly place: TopicPlace;
  readonly key: KeyObject;
  readonly clock: Clock;
}

/** A message of the service by its run and number; without a number it answers none. */
export type Answered = Pick<ControlMessage, 'runId'> & Partial<Pick<ControlMessage, 'sequence'>>;

export class Receipts {
  private producer: Promise<Producer> | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly of: ReceiptsOf) {}

  /** Resolves when the broker has it. `to`: what of the service it answers. */
  send(type: ReceiptType, to: Answered, body: Readonly<Record<string, Json>>): Promise<void> {
    const sending = this.last.then(() => this.write(type, to, body));
    this.last = sending.catch(() => undefined);
    return sending;
  }

  private async write(type: ReceiptType, { runId, sequence: answers }: Answered, body: Json): Promise<void> {
    const { broker, home, enrolment, place, key, clock } = this.of;
    const { environment, workspace } = enrolment;
    const sequence = await home.nextReceipt();
    const { agentId } = home.identity;
    const of = { environment, workspace, runId, agentId, sequence, ...(answers !== undefined && { answers }) };
    const records = writeReceipt({ v: 1, type, ...of, at: toTimestamp(clock.now()), body }, key);
    this.producer ??= broker.producer();
    try {
      await (await this.producer).send({ topic: toReceiptsTopic(place), records });
    } catch (error) {
      const broken = this.producer;
      this.producer = undefined;
      await broken.then((producer) => producer.close()).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.last;
    await this.producer?.then((producer) => producer.close()).catch(() => undefined);
  }
}

/** Codes and coordinates; message and hint are made of them by whoever reads them. */
export function toFindingsJson(findings: readonly Finding[]): Json {
  return findings.slice(0, 100).map(({ code, severity, where }) => JSON.parse(JSON.stringify({ code, severity, where })) as Json);
}
