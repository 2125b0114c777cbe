// The keys of an installation as people look at them: what is there, what the log knows of it, and what was made with it. Pure, but for looking.
import { toTimestamp } from '../kernel/clock.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import type { Event } from './event.js';
import { toKeyUse, useTypes } from './key-use.js';
import type { AuditSink, KeyHierarchy, KeyVersion, OpenKeys } from './ports.js';
import { toHierarchyName, toKeyCheck, toRecordedKeys } from './recorded-keys.js';

export interface KeyVersionView {
  readonly version: number;
  readonly state: KeyVersion['state'];
  /** RFC 3339; null: nobody knows. Where only the log is asked: when it was first told of. */
  readonly madeAt: string | null;
  readonly expiresAt: string | null;
  readonly destroyedAt: string | null;
  readonly check: string | null;
  readonly usedBy: readonly {
    readonly pipeline: string;
    readonly environment: string;
    readonly target: string;
    /** How many versions of the dataset were published with it. */
    readonly datasets: number;
    readonly lastAt: string;
  }[];
}

export interface KeysView extends KeyHierarchy {
  readonly versions: readonly KeyVersionView[];
}

/** Of one hierarchy, as its provider has them. */
interface Provided {
  readonly hierarchy: KeyHierarchy;
  readonly versions: readonly KeyVersion[];
  readonly checks: ReadonlyMap<number, string>;
}

/** What the log tells of keys, and nothing else: for who has no way to them. */
export async function readKeysOfLog(sink: Pick<AuditSink, 'read' | 'standing'>): Promise<readonly KeysView[]> {
  return toKeysViews(await readEvents(sink), []);
}

/** Hierarchies that the log knows, and those of `more`. */
export async function readKeys(
  { open, sink }: { readonly open: OpenKeys; readonly sink: Pick<AuditSink, 'read' | 'standing'> },
  more: readonly KeyHierarchy[],
): Promise<{ readonly keys: readonly KeysView[]; readonly findings: readonly Finding[] }> {
  const events = await readEvents(sink);
  const provided = await Promise.all(distinct([...more, ...toHierarchies(events)]).map((hierarchy) => look(open, hierarchy)));
  return { keys: toKeysViews(events, provided), findings: provided.flatMap((one) => findProblems(one, events)) };
}

/** How old the newest version of each hierarchy is, by the log. */
export async function readKeyAges(
  standing: AuditSink['standing'],
  nowMs: number,
): Promise<readonly (KeyHierarchy & { readonly seconds: number })[]> {
  return toKeysViews(await standing(['key.recorded', 'key.destroyed.intended']), []).flatMap(({ versions, ...hierarchy }) => {
    const { madeAt = null } = versions.at(-1) ?? {};
    return madeAt === null ? [] : [{ ...hierarchy, seconds: Math.max(0, (nowMs - Date.parse(madeAt)) / 1000) }];
  });
}

const readEvents = async (sink: Pick<AuditSink, 'read' | 'standing'>): Promise<readonly Event[]> => [
  ...(await sink.standing(['key.recorded', 'key.destroyed.intended'])),
  ...(await sink.read(useTypes)),
];

async function look(open: OpenKeys, hierarchy: KeyHierarchy): Promise<Provided> {
  const keys = open(hierarchy);
  const versions = await keys.versions();
  const there = versions.filter(({ state }) => state === 'current' || state === 'kept');
  const checks = await Promise.all(there.map(async ({ version }) => [version, await toKeyCheck(keys, version)] as const));
  return { hierarchy, versions, checks: new Map(checks) };
}

function findProblems({ hierarchy, versions, checks }: Provided, events: readonly Event[]): readonly Finding[] {
  const recorded = toRecordedKeys(events, hierarchy);
  const newest = versions.at(-1)?.version ?? 0;
  const last = Math.max(0, ...recorded.checks.keys());
  const name = toHierarchyName(hierarchy);
  return [
    ...[...checks].flatMap(([version, check]) => [
      ...((recorded.checks.get(version) ?? check) === check ? [] : [toFinding('KEY_CHANGED', { name, amount: String(version) })]),
      ...(version <= recorded.destroyedUpTo ? [toFinding('KEY_CAME_BACK', { name, amount: String(version) })] : []),
    ]),
    ...(newest < last ? [toFinding('KEY_NEWEST_LOST', { amount: String(last), name: `version ${newest} of ${name}` })] : []),
  ];
}

function toKeysViews(events: readonly Event[], provided: readonly Provided[]): readonly KeysView[] {
  return distinct([...provided.map(({ hierarchy }) => hierarchy), ...toHierarchies(events)])
    .map((hierarchy) =>
      toKeysView(
        hierarchy,
        events,
        provided.find((one) => isSame(one.hierarchy, hierarchy)),
      ),
    )
    .sort((a, b) => (toHierarchyName(a) < toHierarchyName(b) ? -1 : 1));
}

function toKeysView(hierarchy: KeyHierarchy, events: readonly Event[], provided: Provided | undefined): KeysView {
  const { checks, destroyedUpTo } = toRecordedKeys(events, hierarchy);
  const mine = events.filter(({ data }) => isSame(data as unknown as KeyHierarchy, hierarchy));
  const uses = toKeyUse(events, hierarchy);
  const known = new Map(provided?.versions.map((one) => [one.version, one]));
  const last = Math.max(destroyedUpTo, ...checks.keys(), ...known.keys());
  const versions = Array.from({ length: last }, (_, index): KeyVersionView => {
    const version = index + 1;
    const there = known.get(version);
    const gone = version <= destroyedUpTo;
    const first = mine.find(({ type, data }) => type === 'key.recorded' && data['version'] === version);
    const end = mine.find(({ type, data }) => type === 'key.destroyed.intended' && Number(data['upTo']) >= version);
    const guessed = version === last ? 'current' : 'kept';
    return {
      version,
      state: gone ? 'destroyed' : (there?.state ?? (provided ? 'missing' : guessed)),
      madeAt: toText(there?.madeAt) ?? first?.at ?? null,
      expiresAt: toText(there?.expiresAt),
      destroyedAt: toText(there?.destroyedAt) ?? end?.at ?? null,
      check: provided?.checks.get(version) ?? checks.get(version) ?? null,
      usedBy: uses
        .filter((use) => use.version === version)
        .map(({ pipeline, environment, target, datasets, lastAt }) => ({
          ...{ pipeline, environment, target, datasets: datasets.length, lastAt },
        })),
    };
  });
  const { purpose, workspace, environment } = hierarchy;
  return { purpose, workspace, environment, versions };
}

function toHierarchies(events: readonly Event[]): readonly KeyHierarchy[] {
  return events.flatMap(({ type, data }) => {
    const { purpose, workspace, environment } = data as unknown as KeyHierarchy;
    return type.startsWith('key.') && [purpose, workspace, environment].every((one) => typeof one === 'string')
      ? [{ purpose, workspace, environment }]
      : [];
  });
}

const distinct = (hierarchies: readonly KeyHierarchy[]): readonly KeyHierarchy[] => [
  ...new Map(hierarchies.map((one) => [toHierarchyName(one), one])).values(),
];

const isSame = (a: KeyHierarchy, b: KeyHierarchy): boolean =>
  a.purpose === b.purpose && a.workspace === b.workspace && a.environment === b.environment;

const toText = (at: number | null | undefined): string | null => (at === null || at === undefined ? null : toTimestamp(at));
