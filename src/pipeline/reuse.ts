// Whether a version that is there is what a run would make: the same plan, the same key, a source that has not changed since, and a marker of ours
// that still holds. Whatever cannot be said is a reason to run.
import { toTimestamp } from '../kernel/clock.js';
import { toKnownError } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import { toTableLabel } from './catalogue.js';
import { isMarkerOf, openMarker } from './marker.js';
import type { Journal } from './audit/audit.js';
import type { KnownSource } from './gate/gate.js';
import { decideAgain } from './permit-again.js';
import type { Plan } from './plan.js';
import type { DatasetVersion } from './ports.js';
import type { Prepared } from './prepare.js';
import type { Doors } from './run.js';

/** The version, how old its rows are, and until when the source is known to have stayed as it was. */
export interface Reused {
  readonly target: string;
  readonly version: number;
  readonly planDigest: string;
  /** The run that made it. */
  readonly runId: string;
  /** When its rows were read, and how long ago that is. */
  readonly readAt: string;
  readonly ageSeconds: number;
  /** What was committed at the source after this instant may not be counted yet. */
  readonly unchangedUntil: string;
  readonly expiresAt: string;
}

interface Asking {
  readonly verifiers: readonly Verifier[];
  readonly journal: Journal;
  /** That this installation knows now. */
  readonly knownSources: readonly KnownSource[];
}

export async function findReusable(
  doors: Doors,
  { plan, planDigest, catalogue }: Pick<Prepared, 'catalogue'> & { readonly plan: Plan; readonly planDigest: string },
  { verifiers, journal, knownSources }: Asking,
): Promise<Reused | { readonly why: string }> {
  const why = findUntold(plan);
  if (why !== undefined) return { why };
  const current = (await doors.target.datasets()).find(({ state }) => state === 'current');
  if (!current) return { why: 'the target has no version' };
  if (current.planDigest !== planDigest) return { why: `version ${current.version} was made by another plan` };
  const denied = await findDenied(doors, journal, current, knownSources);
  if (denied !== undefined) return { why: denied };
  const marker = await readMarker(doors, current, verifiers);
  if ('why' in marker) return marker;
  const read = await findRead(doors, current.runId);
  if (!read) return { why: `the log does not say in which state of the source version ${current.version} was made` };
  const state = await doors.source.state(plan, catalogue);
  const nowMs = doors.clock.now();
  const { lagMs, unknown = '' } = state;
  if (state.digest === null || lagMs === null) return { why: `whether the source has changed is not known: ${unknown}` };
  if (state.digest !== read.state) return { why: `the source has changed since version ${current.version}, or its counters began anew` };
  const { target, version, runId } = current;
  return {
    ...{ target, version, planDigest, runId, readAt: read.at, expiresAt: marker.expiresAt },
    ageSeconds: Math.max(0, Math.round((nowMs - Date.parse(read.at)) / 1000)),
    // Never before its rows were read: it is that state.
    unchangedUntil: toTimestamp(Math.max(Date.parse(read.at), nowMs - lagMs)),
  };
}

/** What the policy of today has against its use. */
async function findDenied(
  doors: Doors,
  journal: Journal,
  current: DatasetVersion,
  knownSources: readonly KnownSource[],
): Promise<string | undefined> {
  const { version } = current;
  try {
    const { allow, reasons } = await decideAgain(doors, journal, current, knownSources);
    if (allow) return undefined;
    const codes = reasons.map(({ code }) => code);
    if (codes.includes('DATASET_REVOKED')) return `version ${version} was revoked`;
    if (codes.includes('ERASURE_PENDING')) return `a person is to be erased from version ${version}`;
    return `version ${version} is denied by the policy of now: ${codes.join(', ')}`;
  } catch (error) {
    if (toKnownError(error).code !== 'GATE_QUESTION_MISSING') throw error;
    return `the log does not say what was allowed when version ${version} was made`;
  }
}

/** What a run reads or does that no counter tells of. */
function findUntold({ tables, documents }: Plan): string | undefined {
  const cut = tables.find(({ rows }) => typeof rows === 'object');
  if (cut) return `which rows of ${toTableLabel(cut)} are copied is for a condition to say, and it may look at the clock`;
  const after = Object.keys(documents).some((name) => name.startsWith('after '));
  if (after) return 'the pipeline has after files, and they may do something else each time';
  // Their text is the name of an object, which can change without a row.
  const named = tables.find(({ columns }) => columns.some(({ type }) => /^reg[a-z]+$/.test(type.element?.base ?? type.base)));
  return named && `a column of ${toTableLabel(named)} shows names of the server's objects`;
}

async function readMarker(
  doors: Doors,
  current: DatasetVersion,
  verifiers: readonly Verifier[],
): Promise<{ readonly expiresAt: string } | { readonly why: string }> {
  const opened = openMarker(await doors.target.marker(current), verifiers);
  const name = `version ${current.version}`;
  if (opened.state !== 'whole') return { why: `the marker of ${name} is ${opened.state}` };
  const { marker, signer } = opened;
  if (signer !== 'checked') return { why: `the marker of ${name} was signed by another log` };
  if (!isMarkerOf(marker, current) || marker.planDigest !== current.planDigest)
    return { why: `the marker of ${name} is that of another dataset` };
  const nowMs = doors.clock.now();
  if (Date.parse(marker.madeAt) > nowMs) return { why: `by the clock of this machine ${name} is yet to be made` };
  return Date.parse(marker.expiresAt) > nowMs ? marker : { why: `${name} expired at ${marker.expiresAt}` };
}

/** As the run told it. A run has several attempts: which one published is not asked, all of them have to say the same. */
async function findRead({ sink }: Doors, runId: string): Promise<{ readonly at: string; readonly state: string } | undefined> {
  const opened = await sink.read(['snapshot.opened'], runId);
  const [first] = opened;
  const state = first?.data['sourceState'];
  if (typeof state !== 'string' || opened.some(({ data }) => data['sourceState'] !== state)) return undefined;
  return { at: first!.at, state };
}
