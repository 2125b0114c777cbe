// The log is told that a report was made: of a package by the digest of its manifest, of any other paper by its own. The same one once.
import { randomUUID } from 'node:crypto';

import type { Json } from '../kernel/canonical-json.js';
import { type Clock, toTimestamp } from '../kernel/clock.js';
import { newRunId } from '../kernel/ids.js';
import type { Metadata, Transaction } from '../systems/metadata/metadata.js';
import { untilSequenced } from './until-sequenced.js';

export type ToldReport = Readonly<Record<string, Json>> & ({ readonly manifest: string } | { readonly digest: string });

export interface Telling {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly workspaceId: string;
  /** Id of a person; null: the service made it when it was due. */
  readonly actor: string | null;
}

/** Less than what a client waits. */
const PATIENCE_MS = 20_000;

/** Where the entry stands, `requireFirst` allowing. Throws what that throws, or LOG_NOT_SEQUENCED. */
export async function tellReport(
  { metadata, clock, workspaceId, actor }: Telling,
  made: ToldReport,
  requireFirst: (transaction: Transaction) => Promise<void> = () => Promise.resolve(),
): Promise<{ readonly log: string; readonly index: number }> {
  const key = randomUUID();
  const before = await metadata.within(workspaceId, async (transaction) => {
    await requireFirst(transaction);
    await transaction.log.lockKept();
    const found = await transaction.log.findReport(made);
    if (found) return found;
    const now = clock.now();
    await transaction.append(
      { runId: newRunId(now), stage: 'report', type: 'report.made', at: toTimestamp(now), data: { ...made, actor } },
      key,
    );
    return undefined;
  });
  if (before) return before;
  const { index, checkpoint } = await untilSequenced(metadata, workspaceId, ({ log }) => log.find(key), PATIENCE_MS);
  return { log: checkpoint.origin.slice(checkpoint.origin.lastIndexOf('/') + 1), index };
}
