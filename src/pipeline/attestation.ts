// What can be said of a version that was dropped: what was dropped by which statement, what was seen afterwards, and where else its data may be.
// Of each place beyond our reach it says what is evidenced, else what the documents declare, else that nobody knows. Nothing known is never a pass.
import type { Json } from '../kernel/canonical-json.js';
import { toTimestamp } from '../kernel/clock.js';
import { type Reach, type TargetDefinition, reaches } from './definition.js';
import type { DropKept, DropSeen, DropStep } from './ports.js';

export type Beyond =
  | { readonly says: 'evidenced'; readonly what: string }
  /** `until`: the last instant at which it may still be there, by what the document says. */
  | { readonly says: 'declared'; readonly days: number; readonly reason: string; readonly until: string }
  | { readonly says: 'unknown' };

export interface Attestation {
  readonly lookedAt: string;
  /** Host and port as the server names them. */
  readonly address: string;
  readonly dropped: readonly (DropStep & { readonly seen: 'gone' | 'still there'; readonly sessions: number })[];
  readonly kept: readonly DropKept[];
  readonly beyond: Readonly<Record<Reach, Beyond>>;
  /** Counts of the server: standbys, slots and the archive that the words above rest on. */
  readonly server: DropSeen['replicas'] & { readonly archiveMode: string };
}

export interface Dropped {
  readonly steps: readonly DropStep[];
  readonly kept: readonly DropKept[];
  readonly seen: DropSeen;
  readonly nowMs: number;
}

const dayMs = 86_400_000;

export function toAttestation({ steps, kept, seen, nowMs }: Dropped, declared: TargetDefinition['declared'] = {}): Attestation {
  const stays = new Set(kept.map(({ name }) => name));
  const things = steps.filter(({ kind, name }) => kind !== 'role' || !stays.has(name));
  const find = (step: DropStep): DropSeen['things'][number] | undefined =>
    seen.things.find(({ kind, name }) => kind === step.kind && name === step.name);
  const beyond = Object.fromEntries(reaches.map((reach) => [reach, toBeyond(reach, seen, declared, nowMs)]));
  return {
    lookedAt: toTimestamp(nowMs),
    address: seen.address,
    // What nobody looked for is not gone.
    dropped: things.map((step) => ({
      ...step,
      seen: find(step)?.there === false ? 'gone' : 'still there',
      sessions: find(step)?.sessions ?? 0,
    })),
    kept,
    beyond: beyond as Attestation['beyond'],
    server: { ...seen.replicas, archiveMode: seen.archiveMode },
  };
}

/** What was to be dropped and is still there, by name. */
export function findLeft({ dropped }: Attestation): readonly string[] {
  return dropped.filter(({ seen, sessions }) => seen !== 'gone' || sessions > 0).map(({ name }) => name);
}

export const toAttestationJson = (attestation: Attestation): Readonly<Record<string, Json>> =>
  JSON.parse(JSON.stringify(attestation)) as Readonly<Record<string, Json>>;

function toBeyond(reach: Reach, { replicas }: DropSeen, declared: NonNullable<TargetDefinition['declared']>, nowMs: number): Beyond {
  const { connected, slots, replayed } = replicas;
  // A standby that is away and has no slot is seen by nobody: that none is connected is told, and is no evidence that there is none.
  if (reach === 'replicas' && connected > 0 && replayed === connected && slots <= connected)
    return { says: 'evidenced', what: `${connected} connected, each has replayed the drop` };
  return toDeclaredOf(declared[reach], nowMs);
}

/** What the documents say of each place, where nothing was looked at. */
export function toDeclared(declared: TargetDefinition['declared'] = {}, nowMs: number): Readonly<Record<Reach, Beyond>> {
  return Object.fromEntries(reaches.map((reach) => [reach, toDeclaredOf(declared[reach], nowMs)])) as Record<Reach, Beyond>;
}

function toDeclaredOf(said: NonNullable<TargetDefinition['declared']>[Reach], nowMs: number): Beyond {
  return said === undefined ? { says: 'unknown' } : { says: 'declared', ...said, until: toTimestamp(nowMs + said.days * dayMs) };
}
