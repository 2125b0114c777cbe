// A text or a person of the erasable folder goes, with an entry before and after. The log stays whole: it holds a commitment or a random id only.
import { join } from 'node:path';

import type { Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { type HomeChange, Journal } from '../../pipeline/audit/audit.js';
import type { Appended } from '../../pipeline/event.js';
import type { AuditSink } from '../../pipeline/ports.js';
import { erase, findErasable } from './erasable.js';
import { withWriteLock } from './write-lock.js';

export interface Home {
  /** `BAUTA_HOME`. */
  readonly home: string;
  /** Of that home. */
  readonly sink: AuditSink;
  readonly clock: Clock;
}

export interface EraseOrder {
  /** A commitment (`sha256:…`), a person's id (`p-…`), or the name that a person is kept under. */
  readonly what: string;
  readonly runId: string;
  readonly actor: string;
  readonly reason: string;
}

/** What was erased, and where the intent stands; without `entry` it was erased before. Throws ERASABLE_UNKNOWN. */
export async function eraseOne(doors: Home, { what, runId, actor, reason }: EraseOrder): Promise<{ of: string; entry?: Appended }> {
  return withWriteLock(doors.home, async () => {
    const path = await findErasable(join(doors.home, 'erasable'), what);
    if (path === undefined) {
      const erased = await doors.sink.read(['text.erased.done', 'person.erased.done']);
      if (erased.some(({ data }) => data['of'] === what)) return { of: what };
      throw toError('ERASABLE_UNKNOWN');
    }
    const [kind, name = ''] = path.split('/');
    const [change, of] = kind === 'texts' ? (['text.erased', `sha256:${name}`] as const) : (['person.erased', name] as const);
    const journal = new Journal(doors.sink, doors.clock, runId);
    const entry = await journal.append('audit', `${change}.intended`, { of, actor, reason });
    await finishErasure(doors, journal, change, of);
    return { of, entry };
  });
}

export async function finishErasure(
  { home }: Home,
  journal: Journal,
  change: Exclude<HomeChange, 'log.deleted'>,
  of: string,
): Promise<void> {
  await erase(join(home, 'erasable'), [change === 'text.erased' ? `texts/${of.slice('sha256:'.length)}` : `people/${of}`]);
  await journal.append('audit', `${change}.done`, { of });
}
