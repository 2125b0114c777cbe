// An errand about keys: the next version of an environment's, or the end of old ones, by a worker, which can reach them.
import type { Json } from '../../kernel/canonical-json.js';
import { systemClock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { keyChangeTypes, toOpenKeyIntents } from '../../pipeline/audit/audit.js';
import { type KeyDoors, destroyKeys, findKeyChange, rotateKeys, settleKeyChanges } from '../../pipeline/change-keys.js';
import type { KeyHierarchy, OpenKeys } from '../../pipeline/ports.js';
import type { Settings } from '../../config/settings.js';
import type { ErrandRow, Metadata } from '../../systems/metadata/metadata.js';
import { toHierarchyName } from '../../pipeline/recorded-keys.js';
import { openKeys } from '../open-keys.js';
import { OutboxSink, type RunObserver } from '../runs/runs.js';

/** What a request for it says beside the environment. */
export interface WantedKeyChange {
  readonly purpose: KeyHierarchy['purpose'];
  readonly reason: string;
  /** With a destruction. */
  readonly upTo?: number;
  readonly backups?: string;
}

interface Doors {
  readonly metadata: Metadata;
  readonly settings: Settings;
  readonly metrics: RunObserver;
}

/** What `bauta keys rotate` or `destroy` gives, as its `rotated` or `destroyed`. */
export async function changeKeys({ metadata, settings, metrics }: Doors, workspace: string, row: ErrandRow): Promise<Json> {
  const { purpose, reason, upTo, backups } = row.wanted as unknown as WantedKeyChange;
  const hierarchy = { purpose, workspace: await metadata.workspaceName(workspace), environment: row.environment };
  const opened = await openKeys(settings.BAUTA_HOME, settings);
  try {
    const sink = new OutboxSink(metadata, workspace, metrics);
    const doors = { keys: opened.open(hierarchy), sink, clock: systemClock };
    if (row.resumedAt !== null) return toJson(await finish(opened.open, doors, row.id));
    const order = { runId: row.id, actor: row.requestedBy, reason };
    if (upTo === undefined) return toJson({ rotated: await rotateKeys(doors, order) });
    // Files are of one home, and workers may have one each.
    const elsewhere = settings.BAUTA_KEYS === 'file';
    return toJson({ destroyed: (await destroyKeys(doors, { ...order, upTo, backups, elsewhere })) ?? null });
  } finally {
    await opened.close();
  }
}

/** Throws ROTATION_UNDONE where nothing of it stands. */
async function finish(open: OpenKeys, doors: KeyDoors, runId: string): Promise<object> {
  const { sink, clock } = doors;
  const intents = toOpenKeyIntents(await sink.read(keyChangeTypes, runId));
  await settleKeyChanges({ open, sink, clock }, intents);
  const found = await findKeyChange(doors, runId);
  if (!found) throw toError('ROTATION_UNDONE', { name: toHierarchyName(doors.keys.hierarchy) });
  return found;
}

const toJson = (value: object): Json => JSON.parse(JSON.stringify(value)) as Json;
