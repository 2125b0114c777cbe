// One version is dropped and looked for again; and a drop whose process died is brought to its end.
import type { Json } from '../kernel/canonical-json.js';
import { toError } from '../kernel/errors.js';
import { type Attestation, findLeft, toAttestation, toAttestationJson } from './attestation.js';
import { Journal } from './audit/audit.js';
import type { TargetDefinition } from './definition.js';
import type { Event } from './event.js';
import { findHold } from './hold.js';
import type { DatasetVersion, DropStep } from './ports.js';
import type { Doors } from './run.js';

export type DropDoors = Pick<Doors, 'sink' | 'target' | 'clock' | 'dropArchives'>;

/** `pruned`: newer ones were published, and `keepVersions` says how many stay; `erased`: a person is to be gone from the copies. */
export const dropReasons = ['expired', 'withdrawn', 'pruned', 'erased'] as const;

/** A version that is to end, as its intent tells of it. */
export interface Drop {
  readonly pipeline: string;
  readonly environment: string;
  readonly server: string;
  readonly target: string;
  readonly version: number;
  /** The run that made it. */
  readonly run: string;
  readonly state: DatasetVersion['state'];
  readonly why: (typeof dropReasons)[number];
  readonly expiresAt: string | null;
  readonly steps: readonly DropStep[];
  readonly declared: TargetDefinition['declared'];
  readonly reason?: string | undefined;
  readonly actor?: string | undefined;
}

/** The log knows before and after. Throws what `dropVersion` and the doors throw. */
export async function dropAndAttest(
  doors: DropDoors,
  journal: Journal,
  { steps, declared, reason, actor, ...of }: Drop,
): Promise<Attestation> {
  const data = {
    ...{ ...of, steps: steps.map((step): Json => ({ ...step })) },
    ...(declared && { declared: JSON.parse(JSON.stringify(declared)) as Json }),
    ...(reason === undefined ? {} : { reason }),
    ...(actor === undefined ? {} : { actor }),
  };
  const place = { server: of.server, target: of.target };
  // Before it is gone: who makes the next one looks here for its number.
  if (of.version > (await readRetired(doors.sink, place)))
    await journal.append('deliver', 'version.retired', { ...place, version: of.version });
  return journal.change(
    'deliver',
    'dataset.dropped',
    data,
    async () => {
      await dropArchives(doors, journal, of);
      return dropVersion(doors, { ...of, steps, declared });
    },
    toAttestationJson,
  );
}

/** Throws EXPIRY_LEFT where something is seen that was to be dropped. */
async function dropVersion(
  { target, clock }: Pick<DropDoors, 'target' | 'clock'>,
  { run, why, steps, declared }: Pick<Drop, 'run' | 'why' | 'steps' | 'declared'>,
): Promise<Attestation> {
  const kept = await target.drop(run, steps, { clonesStay: clonesStay(why) });
  const seen = await target.seeDropped(steps.filter(({ name }) => !kept.some((one) => one.name === name)));
  const attestation = toAttestation({ steps, kept, seen, nowMs: clock.now() }, declared);
  const left = findLeft(attestation);
  if (left.length > 0) throw toError('EXPIRY_LEFT', { stage: 'deliver', name: left.join(', ') });
  return attestation;
}

/** Nobody's tests end because a newer version was published; they do when nobody may have it any more. */
const clonesStay = (why: Drop['why']): boolean => why === 'pruned';

/** Its files go before it: whoever dies in between finds the version again, and looks for them again. What was pulled is out of reach. */
async function dropArchives(
  doors: DropDoors,
  journal: Journal,
  { target, run }: { readonly target: string; readonly run: string },
): Promise<void> {
  const names = (await doors.dropArchives?.(run)) ?? [];
  if (names.length > 0) await journal.append('deliver', 'archive.dropped', { target, run, names: [...names] });
}

/** A drop that was begun by who died, to its end: everybody is shut out of it already, or nothing was done yet. False: it is held since. */
export async function finishDrop(doors: DropDoors, { runId, stage, data }: Event): Promise<boolean> {
  const { server, target, run, why, declared } = data as unknown as Drop;
  const dataset = (await doors.target.datasets()).find(({ runId: of, state }) => of === run && state !== 'staging');
  const journal = new Journal(doors.sink, doors.clock, runId);
  if (dataset && (await findHold(doors, { server, target, run }))) {
    await journal.append(stage, 'dataset.dropped.undone', data);
    return false;
  }
  // A version that is there may be called otherwise by now; what is gone is looked for by the names that it had.
  const steps = dataset ? await doors.target.dropSteps(dataset, { clonesStay: clonesStay(why) }) : (data as unknown as Drop).steps;
  await dropArchives(doors, journal, { target, run });
  const attestation = await dropVersion(doors, { run, why, steps, declared });
  await journal.append(stage, 'dataset.dropped.completed', { ...data, ...toAttestationJson(attestation) });
  return true;
}

/** The highest number of a version of this target that was dropped: a number names one version for ever. */
export async function readRetired(
  sink: Doors['sink'],
  { server, target }: { readonly server: string; readonly target: string },
): Promise<number> {
  const events = await sink.standing(['version.retired']);
  const numbers = events
    .filter(({ data }) => data['server'] === server && data['target'] === target)
    .map(({ data }) => Number(data['version']));
  return Math.max(0, ...numbers);
}
