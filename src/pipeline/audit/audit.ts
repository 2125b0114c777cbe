// audit keeps what happened: every stage hands it an event; whatever changes the world is told before (intent) and after (outcome).
import type { Json } from '../../kernel/canonical-json.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import type { Event } from '../event.js';
import type { AuditSink } from '../ports.js';
import type { Stage } from '../stages.js';

export class Journal {
  /** What was appended so far, in order: the summary is a function of these. */
  readonly events: Event[] = [];

  constructor(
    private readonly sink: AuditSink,
    private readonly clock: Clock,
    readonly runId: string,
  ) {}

  /** Resolves when the event is durable. MUST be awaited: a run that cannot be logged does not go on. */
  async append(stage: Stage, type: string, data: Readonly<Record<string, Json>> = {}): Promise<void> {
    const event: Event = { runId: this.runId, stage, type, at: toTimestamp(this.clock.now()), data };
    await this.sink.append(event);
    this.events.push(event);
  }

  /** `<name>.intended`, then the change, then `<name>.done` or `<name>.failed` with the error's code. */
  async change<T>(stage: Stage, name: string, data: Readonly<Record<string, Json>>, make: () => Promise<T>): Promise<T> {
    await this.append(stage, `${name}.intended`, data);
    let made: T;
    try {
      made = await make();
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      await this.append(stage, `${name}.failed`, { ...data, code: typeof code === 'string' ? code : 'UNEXPECTED' });
      throw error;
    }
    // Not in the try: what was done and could not be logged did not fail.
    await this.append(stage, `${name}.done`, data);
    return made;
  }
}
