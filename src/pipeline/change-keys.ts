// The next version of an environment's keys, and the end of old ones: told in the log before and after, with what it was that they made.
import type { Json } from '../kernel/canonical-json.js';
import type { Clock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { Journal, type OpenIntent, type KeyChange } from './audit/audit.js';
import type { AuditSink, KeyHierarchy, KeyProvider, OpenKeys } from './ports.js';
import { readHolds } from './hold.js';
import { type KeyUse, findHeld, findNeeds, toKeyUse, useTypes } from './key-use.js';
import { type RecordedKeys, toHierarchyName, toKeyCheck, toRecordedKeys } from './recorded-keys.js';

export interface KeyDoors {
  readonly keys: KeyProvider;
  readonly sink: AuditSink;
  readonly clock: Clock;
}

export interface KeyOrder {
  /** As whose doing it stands in the log. */
  readonly runId: string;
  readonly actor: string;
  readonly reason: string;
}

export interface Rotated extends KeyHierarchy {
  /** null: there was none. */
  readonly from: number | null;
  readonly version: number;
  readonly check: string;
}

/** Throws KEY_CHANGED where the keys that are there are not those that the log knows. */
export async function rotateKeys({ keys, sink, clock }: KeyDoors, { runId, actor, reason }: KeyOrder): Promise<Rotated> {
  const { hierarchy } = keys;
  const recorded = await readRecorded(sink, hierarchy);
  const from = (await keys.versions()).at(-1)?.version ?? null;
  if (from !== null) await requireKnown(keys, recorded, from);
  const journal = new Journal(sink, clock, runId);
  // Past what the log knows: what got lost is not made again under its number.
  const last = Math.max(from ?? 0, ...recorded.checks.keys());
  const data = { ...toData(hierarchy), from, version: last + 1, actor, reason };
  const version = await journal.change('mask', 'key.rotated', data, async () => {
    for (;;) {
      const made = await keys.rotate();
      if (made > last) return made;
    }
  });
  const check = await toKeyCheck(keys, version);
  if (!recorded.checks.has(version)) await journal.append('mask', 'key.recorded', { ...toData(hierarchy), version, check });
  return { ...hierarchy, from, version, check };
}

/** What a destruction takes away, and what it cannot. */
export interface Destruction extends KeyHierarchy {
  readonly upTo: number;
  readonly versions: readonly { readonly version: number; readonly check: string | null }[];
  /** Made with these versions: they stay, and stay personal data; nobody can make them, or any of their pseudonyms, again. */
  readonly madeWith: readonly KeyUse[];
  readonly cannotReach: readonly CannotReach[];
}

export interface CannotReach {
  readonly what:
    | 'backups of the keys'
    | 'homes of other workers'
    | 'copies that were made'
    | 'disks that keep what was overwritten'
    | 'keys whose deletion is pending';
  readonly state: 'declared' | 'unknown';
  /** What somebody said of it. */
  readonly comment?: string;
}

export interface DestroyOrder extends KeyOrder {
  readonly upTo: number;
  /** What becomes of backups of the keys, in the words of who answers for them. */
  readonly backups?: string | undefined;
  /** Other processes may have the same keys in homes of their own. */
  readonly elsewhere?: boolean | undefined;
}

/** What would be destroyed. Throws KEY_VERSION_CURRENT, KEY_VERSION_MISSING, KEY_NEEDED with what needs it, or KEY_HELD. */
export async function planDestruction(
  { keys, sink, clock }: KeyDoors,
  { upTo, backups, elsewhere = false }: Pick<DestroyOrder, 'upTo' | 'backups' | 'elsewhere'>,
): Promise<Destruction> {
  const { hierarchy } = keys;
  const there = await keys.versions();
  const newest = there.at(-1);
  const name = toHierarchyName(hierarchy);
  if (newest?.state !== 'current') throw toError('KEY_VERSION_MISSING', { amount: String(newest?.version ?? upTo), file: name });
  if (upTo >= newest.version) throw toError('KEY_VERSION_CURRENT', { amount: String(upTo), name });
  const recorded = await readRecorded(sink, hierarchy);
  const published = await sink.read(useTypes);
  const use = toKeyUse(published, hierarchy);
  const [need] = findNeeds(use, upTo, clock.now());
  if (need) throw toError('KEY_NEEDED', { amount: String(need.version), name: `pipeline ${need.pipeline}`, expected: need.until });
  const held = findHeld(published, hierarchy, upTo, await readHolds({ sink, clock }));
  if (held) throw toError('KEY_HELD', { name: held.target, expected: held.until });
  const doomed = there.filter(({ version }) => version <= upTo);
  return {
    ...hierarchy,
    upTo,
    versions: doomed.map(({ version }) => ({ version, check: recorded.checks.get(version) ?? null })),
    madeWith: use.filter(({ version }) => version <= upTo),
    cannotReach: [
      backups === undefined
        ? { what: 'backups of the keys', state: 'unknown' }
        : { what: 'backups of the keys', state: 'declared', comment: backups },
      ...(elsewhere ? [{ what: 'homes of other workers', state: 'unknown' } as const] : []),
      ...toPending(keys.pendingDays),
      { what: 'copies that were made', state: 'unknown' },
      { what: 'disks that keep what was overwritten', state: 'unknown' },
    ],
  };
}

function toPending(days = 0): readonly CannotReach[] {
  const comment = `unusable at once and deleted after ${days} days; until then who administers the keys can bring them back`;
  return days === 0 ? [] : [{ what: 'keys whose deletion is pending', state: 'declared', comment }];
}

/** Undefined: these versions were destroyed before. Throws as `planDestruction`, and KEY_CHANGED. */
export async function destroyKeys(doors: KeyDoors, order: DestroyOrder): Promise<Destruction | undefined> {
  const { keys, sink, clock } = doors;
  const { upTo, runId, actor, reason } = order;
  const { destroyedUpTo } = await readRecorded(sink, keys.hierarchy);
  const there = await keys.versions();
  const left = there.filter(({ version, state }) => version <= upTo && state !== 'destroyed').map(({ version }) => version);
  if (left.length === 0 && destroyedUpTo >= upTo) return undefined;
  const destruction = await planDestruction(doors, order);
  const data = { ...toData(destruction), ...(JSON.parse(JSON.stringify(destruction)) as Record<string, Json>), actor, reason };
  await new Journal(sink, clock, runId).change('mask', 'key.destroyed', data, () => keys.destroyUpTo(upTo));
  return destruction;
}

/**
 * Changes of keys that were begun and whose process died: a destruction is finished, of a rotation it is told whether it was. `isDead`: whoever began
 * it is at work no more. Returns how many it settled.
 */
export async function settleKeyChanges(
  { open, sink, clock }: { readonly open: OpenKeys; readonly sink: AuditSink; readonly clock: Clock },
  intents: readonly OpenIntent<KeyChange>[],
): Promise<number> {
  for (const { change, event } of intents) {
    const { runId, stage, data } = event;
    const keys = open(toHierarchy(data));
    const journal = new Journal(sink, clock, runId);
    if (change === 'key.destroyed') {
      await keys.destroyUpTo(Number(data['upTo']));
      await journal.append(stage, 'key.destroyed.completed', data);
    } else {
      const there = (await keys.versions()).some(({ version }) => version === data['version']);
      await journal.append(stage, `key.rotated.${there ? 'completed' : 'undone'}`, data);
    }
  }
  return intents.length;
}

/** Of one whose process died, once `settleKeyChanges` has settled it: what came of it. Undefined: nothing of it stands. */
export async function findKeyChange(
  { keys, sink, clock }: KeyDoors,
  runId: string,
): Promise<{ readonly rotated: Rotated } | { readonly destroyed: Json } | undefined> {
  const ends = ['done', 'completed'].flatMap((word) => [`key.rotated.${word}`, `key.destroyed.${word}`]);
  const [end] = await sink.read(ends, runId);
  if (!end) return undefined;
  const data = Object.fromEntries(Object.entries(end.data).filter(([name]) => name !== 'actor' && name !== 'reason'));
  if (end.type.startsWith('key.destroyed')) return { destroyed: data };
  const { hierarchy } = keys;
  const [version, from] = [Number(data['version']), data['from'] === null ? null : Number(data['from'])];
  const check = await toKeyCheck(keys, version);
  const recorded = await readRecorded(sink, hierarchy);
  if (!recorded.checks.has(version))
    await new Journal(sink, clock, runId).append('mask', 'key.recorded', { ...toData(hierarchy), version, check });
  return { rotated: { ...hierarchy, from, version, check } };
}

async function readRecorded(sink: AuditSink, hierarchy: KeyHierarchy): Promise<RecordedKeys> {
  return toRecordedKeys(await sink.standing(['key.recorded', 'key.destroyed.intended']), hierarchy);
}

async function requireKnown(keys: KeyProvider, { checks }: RecordedKeys, version: number): Promise<void> {
  const known = checks.get(version);
  if (known !== undefined && known !== (await toKeyCheck(keys, version))) throw toError('KEY_CHANGED', { amount: String(version) });
}

const toData = ({ purpose, workspace, environment }: KeyHierarchy): Record<string, Json> => ({ purpose, workspace, environment });

const toHierarchy = (data: Readonly<Record<string, Json>>): KeyHierarchy => {
  const { purpose, workspace, environment } = data as unknown as KeyHierarchy;
  return { purpose, workspace, environment };
};
