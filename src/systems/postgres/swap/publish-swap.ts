// Publication and roll-back by schemas: which version takes the names, where the other goes, and what each then says of itself.
import { type Clock, toTimestamp } from '../../../kernel/clock.js';
import { type Finding, toError, toFinding } from '../../../kernel/errors.js';
import { newRunId } from '../../../kernel/ids.js';
import type { Verifier } from '../../../kernel/signed-note.js';
import { markerSchema } from '../../../pipeline/marker.js';
import type { DatasetVersion, Permit } from '../../../pipeline/ports.js';
import { quoteName } from '../quote.js';
import { findMarkerProblem } from '../target/marker-of.js';
import type { EnvironmentRoles } from '../target/names.js';
import type { OwnComment } from '../target/own-comment.js';
import type { Session, TargetServer } from '../target/session.js';
import type { OnStep } from '../target/steps.js';
import { findHanging, findShared } from './guard.js';
import { findTaken } from './inspect-swap.js';
import { type Places, toPlaces } from './places.js';
import { type Version, findCurrent, readSchemas, readVersions, toDataset, toStanding, toVersions, writeRecord } from './records.js';
import { endOthers, switchSchemas } from './switch.js';

export interface SwapOrder {
  readonly version: DatasetVersion;
  readonly places: Places;
  readonly roles: EnvironmentRoles;
  readonly adopt: boolean;
  /** The run that made what was current when this one began; null: nothing of ours was. */
  readonly expectedRun: string | null;
  /** Number of a transaction after the load. */
  readonly loadedBy: string;
  readonly clock: Clock;
}

/** MUST be given the session that holds the run's and the target's lock: when that is lost, nothing can be published. */
export async function publishSwap(server: TargetServer, session: Session, order: SwapOrder): Promise<readonly Finding[]> {
  const { places } = order;
  const swapped = [...places.schemas.keys()];
  try {
    await switchSchemas(server, session, {
      standing: async () => {
        const { current, filled } = await readStanding(server, session, order, swapped);
        return [...(current ? [markerSchema, ...toStanding(current)] : []), ...filled];
      },
      after: order.loadedBy,
      change: () => change(server, session, order, swapped),
    });
  } catch (error) {
    if (!session.lost || !(await isCurrent(server, order.version.runId))) throw error;
  }
  if (session.lost) return [];
  return tellOthers(session);
}

/** Prepared statements whose columns have a type of the old version fail once; so whoever is there is sent away, or it is told. */
async function tellOthers(session: Session): Promise<readonly Finding[]> {
  const stay = await endOthers(session);
  return stay === 0 ? [] : [toFinding('SWAP_SESSIONS_STAY', { stage: 'deliver', amount: `${stay} sessions` }, 'warning')];
}

interface Standing {
  readonly current: Version | undefined;
  readonly filled: readonly string[];
  readonly empty: readonly string[];
}

/** What holds the names now. Throws where that is not what the run began with. */
async function readStanding(server: TargetServer, session: Session, order: SwapOrder, swapped: readonly string[]): Promise<Standing> {
  const rows = await readSchemas(session);
  const current = findCurrent(toVersions(rows, server.target));
  const where = { stage: 'deliver', name: server.target };
  const there = new Set(rows.filter(({ mine }) => mine).map(({ name }) => name));
  const { places } = order;
  const gone = [places.record, ...places.schemas.values()].some((name) => !there.has(name));
  if ((current?.ours.runId ?? null) !== order.expectedRun || gone) throw toError('TARGET_CHANGED', where);
  const taken = findTaken(rows, current, swapped);
  const filled = taken.filled.map(({ name }) => name);
  if (filled.length > 0 && (current || !order.adopt)) throw toError('SWAP_SCHEMA_TAKEN', { stage: 'deliver', schema: filled[0] });
  return { current, filled, empty: taken.empty };
}

async function change(server: TargetServer, session: Session, order: SwapOrder, swapped: readonly string[]): Promise<void> {
  const { places, roles, version, clock } = order;
  const { current, filled, empty } = await readStanding(server, session, order, swapped);
  await requireApart(session, [...places.schemas.values()], roles.owner);
  await requireApart(session, [...(current ? toStanding(current) : []), ...filled], roles.owner);
  const now = toTimestamp(clock.now());
  // Nothing is in them; with anything in it the server refuses.
  for (const name of empty) await session.query(`DROP SCHEMA ${quoteName(name)}`);
  if (current) await makePrevious(session, current, now, false);
  else if (filled.length > 0) await makeAdopted(session, server.target, filled, newRunId(clock.now()), now);
  await rename(session, places.record, markerSchema);
  for (const [name, place] of places.schemas) {
    await rename(session, place, name);
    await session.query(`GRANT USAGE, CREATE ON SCHEMA ${quoteName(name)} TO ${quoteName(roles.owner)}`);
    await session.query(`GRANT USAGE ON SCHEMA ${quoteName(name)} TO ${quoteName(roles.readWrite)}, ${quoteName(roles.readOnly)}`);
  }
  const { runId, planDigest } = version;
  const ours: OwnComment = { target: server.target, version: version.version, state: 'current', runId, planDigest, publishedAt: now };
  await writeRecord(session, markerSchema, { ...ours, schemas: swapped });
}

async function requireApart(session: Session, schemas: readonly string[], owner: string): Promise<void> {
  const [object] = [...(await findShared(session, schemas)), ...(await findHanging(session, schemas, owner))];
  if (object !== undefined) throw toError('SWAP_HANGS', { stage: 'deliver', object });
}

async function makePrevious(session: Session, { ours, places }: Version, replacedAt: string, rolledBack: boolean): Promise<void> {
  for (const [name, place] of places.schemas) await rename(session, name, place);
  await rename(session, markerSchema, places.record);
  await writeRecord(session, places.record, { ...ours, state: 'previous', replacedAt, rolledBack: rolledBack || undefined });
}

/** What was there before Bauta is version 0, under names that nobody else has; its record holds no marker. */
async function makeAdopted(session: Session, target: string, schemas: readonly string[], runId: string, replacedAt: string): Promise<void> {
  const { record, schemas: moved } = toPlaces(runId, schemas);
  for (const [name, place] of moved) await rename(session, name, place);
  await session.query(`CREATE SCHEMA ${quoteName(record)}`);
  await writeRecord(session, record, { target, version: 0, state: 'previous', runId, replacedAt, schemas: [...schemas].sort() });
}

async function rename(session: Session, from: string, to: string): Promise<void> {
  await session.query(`ALTER SCHEMA ${quoteName(from)} RENAME TO ${quoteName(to)}`);
}

/** Makes the version before the current one current again. Returns it. */
export async function rollbackSwap(
  server: TargetServer,
  session: Session,
  clock: Clock,
  verifiers: readonly Verifier[],
  permit?: Permit,
  onStep: OnStep = () => undefined,
): Promise<DatasetVersion> {
  const { target } = server;
  const [previous] = toReturnable(await readVersions(session, target));
  if (!previous) throw toError('ROLLBACK_NOTHING', { name: target });
  const { ours, record, places } = previous;
  const problem = ours.version === 0 ? undefined : await findMarkerProblem(server, target, ours, verifiers, clock.now(), record);
  if (problem !== undefined) throw toError('ROLLBACK_MARKER', { name: target, amount: String(ours.version), expected: problem });
  await permit?.(toDataset(previous));
  await onStep('rollback.switch');
  await switchSchemas(server, session, {
    standing: async () => {
      const current = await findCurrentOf(session, target);
      return current ? [markerSchema, ...toStanding(current)] : [];
    },
    change: async () => {
      const current = await findCurrentOf(session, target);
      // The current one may have been withdrawn: then nothing has to give way.
      if (current) await makePrevious(session, current, toTimestamp(clock.now()), true);
      await onStep('rollback.rename');
      const free = new Set((await readSchemas(session)).map(({ name }) => name));
      for (const name of ours.schemas) if (free.has(name)) throw toError('SWAP_SCHEMA_TAKEN', { stage: 'deliver', schema: name });
      for (const [name, place] of places.schemas) await rename(session, place, name);
      await rename(session, record, markerSchema);
      await writeRecord(session, markerSchema, { ...ours, state: 'current', replacedAt: undefined });
    },
  });
  await endOthers(session);
  const current = findCurrent(await readVersions(session, target));
  if (!current) throw toError('TARGET_CHANGED', { name: target });
  return toDataset(current);
}

async function findCurrentOf(session: Session, target: string): Promise<Version | undefined> {
  return findCurrent(await readVersions(session, target));
}

/** Previous versions to which a roll-back may return, the one replaced last first. */
function toReturnable(versions: readonly Version[]): readonly Version[] {
  return versions.filter(({ ours }) => ours.state === 'previous' && !ours.rolledBack && !ours.closed);
}

/** All schemas of a version that is not current, in one transaction; nothing that stands elsewhere goes with them. Throws SWAP_HANGS. */
export async function dropSchemas(session: Session, places: Places): Promise<readonly string[]> {
  const wanted = new Set([places.record, ...places.schemas.values()]);
  return session.transaction(async () => {
    const there = (await readSchemas(session)).filter(({ name, mine }) => mine && wanted.has(name)).map(({ name }) => name);
    if (there.length === 0) return there;
    const [object] = await findShared(session, there);
    if (object !== undefined) throw toError('SWAP_HANGS', { stage: 'deliver', object });
    await session.query(`DROP SCHEMA ${there.map(quoteName).join(', ')} CASCADE`);
    return there;
  });
}

/** After a connection that was lost at the commit: only the server knows what came of it. */
async function isCurrent(server: TargetServer, runId: string): Promise<boolean> {
  const session = await server.open(server.target).catch(() => {
    throw toError('TARGET_SWITCH_UNKNOWN', { stage: 'deliver', name: server.target });
  });
  try {
    return findCurrent(await readVersions(session, server.target))?.ours.runId === runId;
  } finally {
    await session.end();
  }
}
