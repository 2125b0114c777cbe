// What the agents of a run answer: signed receipts, of agents that were enrolled and of nobody else.
import { setTimeout as sleep } from 'node:timers/promises';

import { toPublicKey } from '../../../kernel/ed25519.js';
import { type BautaError, toError, toKnownError } from '../../../kernel/errors.js';
import type { Broker } from '../broker.js';
import { isPassing } from '../failure.js';
import type { InRecord, TopicReader } from '../reader.js';
import { type AgentBody, type ProgressBody, type Refused, isProgress, toCodes, toRefused } from '../wire/body.js';
import { MessageReader, type ReceiptMessage, type ReceiptType, readReceipt, toClaimedAgent } from '../wire/message.js';
import { type TopicPlace, toReceiptsTopic } from '../wire/topic-names.js';
import { toReadMessage } from './control-topic.js';

/** Where one agent stands with one run. */
export interface AgentState {
  readonly agentId: string;
  readonly state: ReceiptType | 'silent';
  readonly at: string | null;
  readonly progress: ProgressBody | undefined;
  /** The server beside it, as it was enrolled. */
  readonly server?: string | undefined;
  /** Codes of what it found. */
  readonly findings: readonly { readonly code: string }[];
}

interface Known {
  readonly reader: MessageReader;
  highest: number;
  state: AgentState;
}

const tellEveryMs = 5000;
const againMs = 200;

export class Receipts {
  readonly #known: ReadonlyMap<string, Known>;
  readonly #options: { readonly place: TopicPlace; readonly runId: string; readonly after: number };
  readonly #stop = new AbortController();
  #reader: TopicReader | undefined;
  #reading: Promise<void> = Promise.resolve();
  #failure: unknown;
  /** Code that was told of it. */
  #toldFailure: string | undefined;
  #changed: () => void = () => undefined;
  #refused = 0;
  readonly #told: (Refused & { readonly agentId: string })[] = [];
  #hear: (line: string) => void = () => undefined;
  #toldAtMs = 0;

  /** `after`: a number of the control topic. What answers it or one before, of an earlier attempt or sent again by whoever kept it, says nothing. */
  constructor(options: {
    readonly place: TopicPlace;
    readonly runId: string;
    readonly agents: ReadonlyMap<string, AgentBody>;
    readonly after: number;
  }) {
    this.#options = options;
    this.#known = new Map(
      [...options.agents].map(([agentId, { publicKey, place }]) => {
        const reader = new MessageReader('receipt', toPublicKey(Buffer.from(publicKey, 'hex')));
        const state: AgentState = {
          agentId,
          state: 'silent',
          at: null,
          progress: undefined,
          server: place?.systemIdentifier,
          findings: [],
        };
        return [agentId, { reader, highest: 0, state }];
      }),
    );
  }

  /** From now on; before anything is told that could be answered. */
  async listen(broker: Broker): Promise<void> {
    this.#reader = await broker.reader({ topic: toReceiptsTopic(this.#options.place), from: 'end', signal: this.#stop.signal });
    this.#reading = this.#read(this.#reader);
  }

  /** Every change of an agent's state, and how far it is every few seconds. */
  tell(hear: (line: string) => void): void {
    this.#hear = hear;
  }

  get agents(): readonly AgentState[] {
    return [...this.#known.values()].map(({ state }) => state);
  }

  /** Receipts that nobody enrolled signed, or that were sent again. */
  get refused(): number {
    return this.#refused;
  }

  /** What agents told that they refused, since this listens. */
  get toldRefused(): readonly (Refused & { readonly agentId: string })[] {
    return this.#told;
  }

  /**
   * Resolves when so many agents have come as far as one of these. Throws STREAM_AGENTS_FAILED when so many cannot any more, STREAM_AGENTS_LATE when
   * the time has passed, BROKER_* where nobody can be heard: at once, or with `patient` when the time has passed.
   */
  async wait(types: readonly ReceiptType[], atLeast: number, lastsMs: number, { patient = false } = {}): Promise<void> {
    const until = performance.now() + lastsMs;
    for (;;) {
      const reached = this.agents.filter(({ state }) => types.includes(state as ReceiptType));
      if (reached.length >= atLeast) return;
      const isOver = performance.now() >= until;
      if (this.#failure !== undefined && (isOver || !patient || !isPassing(this.#failure))) throw toKnownError(this.#failure);
      const lost = this.agents.filter(({ state }) => ended.has(state) && !types.includes(state as ReceiptType));
      if (this.#known.size - lost.length < atLeast) throw this.#toFailure(lost);
      if (isOver) throw toError('STREAM_AGENTS_LATE', this.#where(`${reached.length} of ${atLeast}`));
      const changed = new Promise<void>((resolve) => (this.#changed = resolve));
      const rest = new AbortController();
      await Promise.race([
        changed,
        sleep(Math.min(until - performance.now(), 1000), undefined, { signal: rest.signal }).catch(() => undefined),
      ]);
      rest.abort();
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#reader?.close();
    await this.#reading;
  }

  /** A broker that is away is asked on for as long as somebody waits: it is for him to say how long. */
  async #read(reader: TopicReader): Promise<void> {
    while (!this.#stop.signal.aborted)
      try {
        for await (const record of reader) {
          this.#failure = this.#toldFailure = undefined;
          this.#take(record);
        }
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#failure = error;
        this.#changed();
        if (!isPassing(error)) return;
        this.#tellFailure(toKnownError(error).code);
        await sleep(againMs);
      }
  }

  /** Whoever waits would see nothing else of it for as long as that. */
  #tellFailure(code: string): void {
    if (code === this.#toldFailure) return;
    this.#toldFailure = code;
    this.#hear(`answers of agents cannot be read: ${code}; asking again`);
  }

  #take(record: InRecord): void {
    const { place, runId, after } = this.#options;
    const read = toReadMessage(record);
    const agentId = toClaimedAgent(read);
    const known = agentId === undefined ? undefined : this.#known.get(agentId);
    if (!known || agentId === undefined) return void (this.#refused += 1);
    const { environment, workspace } = place;
    const found = readReceipt(known.reader, read, { environment, workspace, agentId, highest: known.highest });
    if (!found) return;
    if ('problem' in found) return void (this.#refused += 1);
    known.highest = found.message.sequence;
    if (found.message.type === 'refused') {
      for (const one of toRefused(found.message.body)) this.#told.push({ agentId, ...one });
      return this.#hear(`${agentId} refused what the service did not sign`);
    }
    if (found.message.runId === runId && (found.message.answers ?? 0) > after) {
      const before = known.state.state;
      known.state = toState(found.message, known.state);
      const isNews = before !== known.state.state;
      if (isNews || performance.now() - this.#toldAtMs > tellEveryMs) {
        this.#toldAtMs = performance.now();
        this.#hear(toLine(known.state));
      }
    }
    this.#changed();
  }

  #toFailure(lost: readonly AgentState[]): BautaError {
    const codes = [...new Set(lost.flatMap(({ findings }) => findings.map(({ code }) => code)))];
    return toError('STREAM_AGENTS_FAILED', { ...this.#where(String(lost.length)), expected: codes.join(', ') || 'no code' });
  }

  #where(amount: string): { stage: string; run: string; name: string; amount: string } {
    return { stage: 'deliver', run: this.#options.runId, name: this.#options.place.environment, amount };
  }
}

/** Names, counts and codes. */
function toLine({ agentId, state, progress, findings }: AgentState): string {
  const codes = findings.length === 0 ? '' : `: ${findings.map(({ code }) => code).join(', ')}`;
  if (state !== 'loading' || !progress) return `${agentId} ${state}${codes}`;
  const { rows, bytes, lag, secondsLeft } = progress;
  const left = secondsLeft === null || secondsLeft === undefined ? '' : `, ${Math.ceil(secondsLeft)} s left`;
  return `${agentId} loading: ${rows} rows, ${(bytes / 1e6).toFixed(1)} MB, ${lag} records behind${left}`;
}

/** An agent that has said this goes no further with the run. */
const ended: ReadonlySet<string> = new Set<ReceiptType | 'silent'>(['failed', 'rolled-back', 'withdrawn', 'expired']);

function toState({ type, agentId, at, body }: ReceiptMessage, before: AgentState): AgentState {
  const progress = type === 'loading' && isProgress(body) ? body : before.progress;
  return { agentId, state: type, at, progress, server: before.server, findings: type === 'failed' ? toCodes(body) : before.findings };
}
