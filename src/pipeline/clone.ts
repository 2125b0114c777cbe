// A clone of the published version for one purpose, and its end. The gate is asked again, and the log knows before and after, never the password.
import { toTimestamp } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { Journal } from './audit/audit.js';
import type { ClonesDefinition } from './definition.js';
import type { KnownSource } from './gate/gate.js';
import { openMarker } from './marker.js';
import { type PermitDoors, permitAgain } from './permit-again.js';
import type { Clone, Clones, DatasetVersion, Login, Target } from './ports.js';
import { settle } from './settle.js';

export interface CloneDoors extends PermitDoors {
  readonly target: Target;
}

export interface WantedClone {
  /** Of a clone that is new; under it the log has it. */
  readonly id: string;
  readonly environment: string;
  /** One clone of an environment at a time: who asks again for the same gets the same one. */
  readonly for: string;
  readonly hours: number;
  /** As the document allows them. */
  readonly allowed: ClonesDefinition | undefined;
  readonly knownSources?: readonly KnownSource[];
  /** Id of the person who asked; absent: the log's own way says who. */
  readonly actor?: string;
}

const hourMs = 3_600_000;

/**
 * With a new password in any case. It lasts no longer than its version. Throws CLONES_NOT_DECLARED, CLONES_UNSUPPORTED, CLONE_TOO_LONG, what
 * `permitAgain` throws, and what `Clones.make` throws.
 */
export async function makeClone(doors: CloneDoors, wanted: WantedClone): Promise<{ readonly clone: Clone; readonly login: Login }> {
  const { environment, for: purpose, hours, allowed, actor } = wanted;
  if (!allowed) throw toError('CLONES_NOT_DECLARED', { name: environment });
  if (hours > allowed.hours) throw toError('CLONE_TOO_LONG', { amount: `${allowed.hours} hours` });
  await dropDueClones(doors, environment);
  const { server, database } = await doors.target.place();
  const clones = requireClones(doors.target, database);
  const current = (await doors.target.datasets()).find(({ state }) => state === 'current');
  if (!current) throw toError('CLONE_NO_TEMPLATE', { name: database });
  const there = (await clones.list()).find((one) => one.for === purpose);
  const id = there?.id ?? wanted.id;
  const journal = new Journal(doors.sink, doors.clock, id);
  // Of the version that it is a copy of, which need not be there any more.
  await permitAgain(doors, journal, there ?? current, wanted.knownSources);
  const lastsUntil = there?.lastsUntil ?? (await readExpiry(doors, current));
  const expiresAt = toTimestamp(Math.min(doors.clock.now() + hours * hourMs, Date.parse(lastsUntil)));
  const data = { environment, server, target: database, clone: id, for: purpose, version: there?.version ?? current.version, expiresAt };
  const order = { id, for: purpose, expiresAt, lastsUntil, max: allowed.max, megabytes: allowed.megabytes };
  return journal.change('deliver', 'clone.made', { ...data, ...(actor === undefined ? {} : { actor }) }, () => clones.make(order));
}

export interface Dropping {
  readonly environment: string;
  readonly actor?: string;
  /** Absent where somebody asked for it; `erased`: a person is to be gone from the copies. */
  readonly why?: 'expired' | 'erased';
}

/** Throws CLONE_BUSY while somebody is at work on it, CLONE_UNKNOWN. */
export async function dropClone(doors: CloneDoors, id: string, of: Dropping): Promise<void> {
  const { server, database } = await doors.target.place();
  const clones = requireClones(doors.target, database);
  const clone = (await clones.list()).find((one) => one.id === id);
  if (!clone) throw toError('CLONE_UNKNOWN', { name: id });
  const data = { environment: of.environment, server, target: database, clone: id, for: clone.for, version: clone.version };
  const by = { ...(of.actor === undefined ? {} : { actor: of.actor }), ...(of.why === undefined ? {} : { why: of.why }) };
  await new Journal(doors.sink, doors.clock, id).change('deliver', 'clone.dropped', { ...data, ...by }, () => clones.drop(id));
}

/** Those whose time is up, after what dead processes left half made or half dropped. Returns the ones that were dropped now. */
export async function dropDueClones(doors: CloneDoors, environment: string): Promise<readonly Clone[]> {
  await doors.target.clones?.sweep();
  await settle(doors);
  const due = ((await doors.target.clones?.list()) ?? []).filter(({ expiresAt }) => Date.parse(expiresAt) <= doors.clock.now());
  for (const { id } of due) await dropClone(doors, id, { environment, why: 'expired' });
  return due;
}

function requireClones({ clones }: Target, name: string): Clones {
  if (!clones) throw toError('CLONES_UNSUPPORTED', { name });
  return clones;
}

/** Whether the marker is that of the version, and still holds, is for the target to say. */
async function readExpiry({ target }: CloneDoors, current: DatasetVersion): Promise<string> {
  const opened = openMarker(await target.marker(current), []);
  if (opened.state === 'whole') return opened.marker.expiresAt;
  throw toError('CLONE_MARKER', { name: current.target, amount: String(current.version), expected: `its marker is ${opened.state}` });
}
