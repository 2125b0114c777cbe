// What a stage holds to tell the log: whatever changes the world is told before (intent) and after (outcome).
import type { Json } from '../../kernel/canonical-json.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import type { Appended, Checkpoint, Event } from '../event.js';
import type { Change, KeyChange } from './intents.js';
import { toLogged } from '../erasable.js';
import type { AuditSink } from '../ports.js';
import type { Stage } from '../stages.js';

const unsettled: ReadonlySet<string> = new Set(['STREAM_OUTCOME_UNKNOWN']);

export class Journal {
  /** What was appended so far, in order: the summary is a function of these. */
  readonly events: Event[] = [];
  readonly #texts = new Map<string, string>();
  #checkpoint: Checkpoint | undefined;

  constructor(
    private readonly sink: AuditSink,
    private readonly clock: Clock,
    readonly runId: string,
  ) {}

  /** The signed checkpoint that covers everything appended so far. */
  get checkpoint(): Checkpoint | undefined {
    return this.#checkpoint;
  }

  /** The text behind a commitment of this run. */
  textOf(commitment: string): string | undefined {
    return this.#texts.get(commitment);
  }

  /** Resolves when the event is durable. MUST be awaited: a run that cannot be logged does not go on. */
  async append(stage: Event['stage'], type: string, data: Readonly<Record<string, Json>> = {}): Promise<Appended> {
    const at = toTimestamp(this.clock.now());
    const logged = (await toLogged(data, (text) => this.#keep(text))) as Event['data'];
    const event: Event = { runId: this.runId, stage, type, at, data: logged };
    const appended = await this.sink.append(event);
    this.events.push(event);
    if (this.#checkpoint?.origin !== appended.checkpoint.origin || this.#checkpoint.size < appended.checkpoint.size)
      this.#checkpoint = appended.checkpoint;
    return appended;
  }

  /**
   * `<name>.intended`, then the change, then `<name>.done` or `<name>.failed` with the error's code. The change is told where its intent stands.
   * Where nobody can tell yet what came of it, the intent stays open, and the next start looks (settle.ts). `toOutcome`: what the outcome says beside what was intended.
   */
  async change<T>(
    stage: Stage,
    name: Change | KeyChange,
    data: Readonly<Record<string, Json>>,
    make: (intent: Appended) => Promise<T>,
    toOutcome: (made: T) => Readonly<Record<string, Json>> = () => ({}),
  ): Promise<T> {
    const intent = await this.append(stage, `${name}.intended`, data);
    let made: T;
    try {
      made = await make(intent);
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (typeof code === 'string' && unsettled.has(code)) throw error;
      await this.append(stage, `${name}.failed`, { ...data, code: typeof code === 'string' ? code : 'UNEXPECTED' });
      throw error;
    }
    // Not in the try: what was done and could not be logged did not fail.
    await this.append(stage, `${name}.done`, { ...data, ...toOutcome(made) });
    return made;
  }

  async #keep(text: string): Promise<string> {
    const commitment = await this.sink.keep(text);
    this.#texts.set(commitment, text);
    return commitment;
  }
}
