// What the service tells: read from a topic that anybody may write to, checked, kept on the disk, and then handed on in its order. What is refused is
// counted by its reason and changes nothing.
import { type ControlMessage, type MessageProblem, MessageReader, readControl, toControlTopic } from '../systems/kafka/kafka.js';
import type { AgentDoors } from './doors.js';

export class Inbox {
  readonly refused = new Map<MessageProblem, number>();
  private readonly messages: ControlMessage[] = [];
  private wake: (() => void) | undefined;

  constructor(private readonly doors: AgentDoors) {}

  /** What an earlier process accepted and did not do. */
  async load(): Promise<void> {
    for (const text of await this.doors.home.readInbox()) this.messages.push(JSON.parse(text) as ControlMessage);
  }

  /** Until the signal. Throws BROKER_*, TOPIC_MISSING: then it MAY be called again. */
  async read(signal: AbortSignal): Promise<void> {
    const { broker, place, enrolment, home, serviceKey, clock } = this.doors;
    const { environment, workspace } = enrolment;
    const reader = await broker.reader({ topic: toControlTopic(place), signal, waitMs: 500 });
    const known = new MessageReader('control', serviceKey);
    try {
      // What stands there already was seen before, or is too old to act on.
      const before = await reader.askEnds();
      while (!signal.aborted) {
        for (const record of await reader.read()) {
          const message = { key: record.key, value: record.value, headers: Object.fromEntries(record.headers) };
          const found = readControl(known, message, { environment, workspace, highest: home.highest, nowMs: clock.now() });
          if (!found) continue;
          const isOld = record.offset < (before.get(record.partition) ?? 0n);
          if ('message' in found) await this.accept(found.message);
          else if (!isOld || (found.problem !== 'older' && found.problem !== 'expired')) this.refuse(found.problem);
        }
      }
    } finally {
      await reader.close();
    }
  }

  /** The next one; undefined when the signal came. */
  async next(signal: AbortSignal): Promise<ControlMessage | undefined> {
    while (this.messages.length === 0 && !signal.aborted) {
      let woken: () => void = () => undefined;
      await new Promise<void>((resolve) => {
        this.wake = woken = resolve;
        signal.addEventListener('abort', woken);
      });
      // It waits for years, and the signal would keep each time.
      signal.removeEventListener('abort', woken);
    }
    return signal.aborted ? undefined : this.messages.shift();
  }

  private async accept(message: ControlMessage): Promise<void> {
    await this.doors.home.accept(message.sequence, JSON.stringify(message));
    this.messages.push(message);
    this.wake?.();
  }

  private refuse(problem: MessageProblem): void {
    this.refused.set(problem, (this.refused.get(problem) ?? 0) + 1);
    this.doors.metrics.refused.inc({ topic: 'control', problem });
    this.doors.refusals.add({ topic: 'control', problem });
    this.doors.say(`a message on the control topic was refused: ${problem}`);
  }
}
