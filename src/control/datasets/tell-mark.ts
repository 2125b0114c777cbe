// What somebody says of a version, as it stands in the log: with the members that the command line's has, because later runs go by it.
import { randomUUID } from 'node:crypto';

import { toTimestamp } from '../../kernel/clock.js';
import { newRunId } from '../../kernel/ids.js';
import { toLogged } from '../../pipeline/erasable.js';
import type { Event } from '../../pipeline/event.js';
import type { DatasetRow, Transaction } from '../../systems/metadata/metadata.js';

export interface Told {
  readonly type: 'hold.placed' | 'hold.lifted' | 'dataset.revoked';
  /** Absent: the service itself. */
  readonly actor?: string;
  /** Kept where it can be erased. */
  readonly reason: string;
  readonly until?: string;
  /** Of the approval by which it is done. */
  readonly approval?: string;
}

/** In the transaction of the change. Gives the key by which its place in the log is found, and what stands there for the reason. */
export async function tellMark(
  transaction: Transaction,
  { server, target, runId: run, environment, version }: DatasetRow,
  { type, ...told }: Told,
  nowMs: number,
): Promise<{ readonly key: string; readonly reason: string }> {
  const data = (await toLogged({ server, target, run, environment, version, ...told }, (text) =>
    transaction.log.keepText(text),
  )) as Event['data'];
  const key = randomUUID();
  await transaction.append({ runId: newRunId(nowMs), stage: 'control', type, at: toTimestamp(nowMs), data }, key);
  return { key, reason: (data['reason'] as { readonly committed: string }).committed };
}
