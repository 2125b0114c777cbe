// One version is dropped and looked for again; and a drop whose process died is brought to its end.
import { toError } from '../kernel/errors.js';
import { type Attestation, findLeft, toAttestation, toAttestationJson } from './attestation.js';
import { Journal } from './audit/audit.js';
import type { TargetDefinition } from './definition.js';
import type { Event } from './event.js';
import { findHold } from './hold.js';
import type { DropStep } from './ports.js';
import type { Doors } from './run.js';

export type DropDoors = Pick<Doors, 'sink' | 'target' | 'clock' | 'dropArchives'>;

/** Throws EXPIRY_LEFT where something is seen that was to be dropped. */
export async function dropVersion(
  { target, clock }: Pick<DropDoors, 'target' | 'clock'>,
  run: string,
  steps: readonly DropStep[],
  declared: TargetDefinition['declared'],
): Promise<Attestation> {
  const kept = await target.drop(run, steps);
  const seen = await target.seeDropped(steps.filter(({ name }) => !kept.some((one) => one.name === name)));
  const attestation = toAttestation({ steps, kept, seen, nowMs: clock.now() }, declared);
  const left = findLeft(attestation);
  if (left.length > 0) throw toError('EXPIRY_LEFT', { stage: 'deliver', name: left.join(', ') });
  return attestation;
}

/** Its files go before it: whoever dies in between finds the version again, and looks for them again. What was pulled is out of reach. */
export async function dropArchives(
  doors: DropDoors,
  journal: Journal,
  { target, run }: { readonly target: string; readonly run: string },
): Promise<void> {
  const names = (await doors.dropArchives?.(run)) ?? [];
  if (names.length > 0) await journal.append('deliver', 'archive.dropped', { target, run, names: [...names] });
}

/** A drop that was begun by who died, to its end: everybody is shut out of it already, or nothing was done yet. False: it is held since. */
export async function finishDrop(doors: DropDoors, { runId, stage, data }: Event): Promise<boolean> {
  const { server, target, run, declared } = data as unknown as Intended;
  const dataset = (await doors.target.datasets()).find(({ runId: of, state }) => of === run && state !== 'staging');
  const journal = new Journal(doors.sink, doors.clock, runId);
  if (dataset && (await findHold(doors, { server, target, run }))) {
    await journal.append(stage, 'dataset.dropped.undone', data);
    return false;
  }
  // A version that is there may be called otherwise by now; what is gone is looked for by the names that it had.
  const steps = dataset ? await doors.target.dropSteps(dataset) : (data as unknown as Intended).steps;
  await dropArchives(doors, journal, { target, run });
  const attestation = await dropVersion(doors, run, steps, declared);
  await journal.append(stage, 'dataset.dropped.completed', { ...data, ...toAttestationJson(attestation) });
  return true;
}

interface Intended {
  readonly server: string;
  readonly target: string;
  readonly run: string;
  readonly steps: readonly DropStep[];
  readonly declared?: TargetDefinition['declared'];
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
