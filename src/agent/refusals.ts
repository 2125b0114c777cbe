// What this agent refuses, told to the service: counts by topic and reason, never what stood there. Who floods a topic makes no flood of receipts.
import type { MessageProblem, RecordProblem } from '../systems/kafka/kafka.js';
import type { Receipts } from './receipts.js';

const FIRST_MS = 1000;
const AGAIN_MS = 60_000;

interface Refused {
  readonly topic: 'control' | 'bulk';
  readonly problem: MessageProblem | RecordProblem;
}

export class Refusals {
  private readonly counts = new Map<string, Refused & { amount: number }>();
  private timer: NodeJS.Timeout | undefined;
  private toldAtMs = -AGAIN_MS;

  constructor(
    private readonly receipts: Receipts,
    private readonly agentId: string,
  ) {}

  add(refused: Refused, amount = 1): void {
    const { topic, problem } = refused;
    const name = `${topic} ${problem}`;
    const known = this.counts.get(name) ?? { ...refused, amount: 0 };
    known.amount += amount;
    this.counts.set(name, known);
    this.plan();
  }

  /** What was not told yet is told now, if the broker takes it. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.tell();
  }

  private plan(): void {
    if (this.timer) return;
    const wait = Math.max(FIRST_MS, this.toldAtMs + AGAIN_MS - performance.now());
    this.timer = setTimeout(() => void this.tell(), wait);
  }

  /** Never rejects: what the broker did not take is told the next time. */
  private async tell(): Promise<void> {
    this.timer = undefined;
    if (this.counts.size === 0) return;
    this.toldAtMs = performance.now();
    const refused = [...this.counts.values()];
    this.counts.clear();
    try {
      await this.receipts.send('refused', { runId: this.agentId }, { refused: refused.map((one) => ({ ...one })) });
    } catch {
      for (const { amount, ...one } of refused) this.add(one, amount);
    }
  }
}
