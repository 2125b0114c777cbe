// The log of a run that the service works on, as the data plane sees it: what is appended goes into the outbox, and is there once the sequencer has
// signed it. The key stays with the sequencer, which is asked for the marker's signature.
import { randomUUID } from 'node:crypto';

import { toError } from '../../kernel/errors.js';
import type { Appended, Event } from '../../pipeline/event.js';
import type { AuditSink } from '../../pipeline/ports.js';
import type { Metadata, Transaction } from '../../systems/metadata/metadata.js';
import { untilSequenced } from '../until-sequenced.js';
import type { RunObserver } from './run-observer.js';
import { toLine } from './to-line.js';

/** A sequencer that died is taken over from in five seconds. */
const PATIENCE_MS = 30_000;

/** Attestations. */
const ends: ReadonlySet<string> = new Set(['dataset.dropped.done', 'dataset.dropped.completed']);

export class OutboxSink implements AuditSink {
  constructor(
    private readonly metadata: Metadata,
    private readonly workspaceId: string,
    private readonly observer: Pick<RunObserver, 'tell'>,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** Throws LOG_NOT_SEQUENCED when nobody signs: then the entry waits, and stands in the log later. */
  async append(event: Event): Promise<Appended> {
    const key = randomUUID();
    await this.within(async (transaction) => {
      if (event.type === 'dataset.dropped.intended') await requireUnheld(transaction, event);
      await transaction.append(event, key);
      for (const code of event.type === 'plan.decided' ? refusalsOf(event) : [])
        await transaction.notifications.note({
          type: 'policy.bundle-refused',
          at: event.at,
          data: { question: 'provision', code, digest: null },
        });
      await transaction.runs.say(event.runId, toLine(event));
      if (event.type === 'dataset.published.intended') await transaction.datasets.intend(event.runId, event.data);
      if (ends.has(event.type)) await transaction.datasets.drop(event.data['run'] as string, event.runId);
    });
    const appended = await this.until(({ log }) => log.find(key));
    this.observer.tell(event);
    return appended;
  }

  async sign(text: string): Promise<string> {
    const id = await this.within(({ log }) => log.requestNote(text));
    const note = await this.until(({ log }) => log.findNote(id));
    if (note === '') throw toError('LOG_SIGNATURE_REFUSED', { stage: 'audit' });
    return note;
  }

  keep(text: string): Promise<string> {
    return this.within(({ log }) => log.keepText(text));
  }

  read(types: readonly string[], runId?: string): Promise<readonly Event[]> {
    return this.within(({ log }) => (runId === undefined ? log.events(types) : log.eventsOf(runId, types)));
  }

  standing(types: readonly string[]): Promise<readonly Event[]> {
    return this.within(({ log }) => log.standing(types));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private within<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.metadata.within(this.workspaceId, work);
  }

  private until<T>(find: (transaction: Transaction) => Promise<T | undefined>): Promise<T> {
    return untilSequenced(this.metadata, this.workspaceId, find, this.patienceMs);
  }
}

/** Why a newer bundle of one's own was not asked about a plan. */
function refusalsOf({ data }: Event): readonly string[] {
  const { others = [] } = (data['decision'] ?? {}) as { readonly others?: readonly { readonly refused?: string }[] };
  return others.flatMap(({ refused }) => refused ?? []);
}

/** A hold that was answered stops every drop that is not meant yet, whenever the log was read. Throws DATASET_HELD. */
async function requireUnheld({ datasets, holds }: Transaction, { data }: Event): Promise<void> {
  const row = await datasets.lock(data['run'] as string);
  const hold = row && (await holds.find(row.runId, new Date()));
  if (hold) throw toError('DATASET_HELD', { name: row.target, amount: String(row.version), expected: hold.until.toISOString() });
}
