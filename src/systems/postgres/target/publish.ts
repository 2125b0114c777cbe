// Publication and roll-back: which database takes whose name, and what each then says of itself.
import { newRunId } from '../../../kernel/ids.js';
import { type Clock, toTimestamp } from '../../../kernel/clock.js';
import { toError } from '../../../kernel/errors.js';
import type { Verifier } from '../../../kernel/signed-note.js';
import type { DatasetVersion, Permit } from '../../../pipeline/ports.js';
import type { Definition } from '../../../pipeline/definition-digest.js';
import { readDatabaseRights } from '../definitions.js';
import { quoteLiteral, quoteName } from '../quote.js';
import { type Database, readDatabases, toDatasets } from './databases.js';
import { carryOver, openToEnvironment } from './hand-over.js';
import { type OwnComment, toCommentText } from './own-comment.js';
import { findMarkerProblem } from './marker-of.js';
import { type EnvironmentRoles, toStagingName } from './names.js';
import type { Session, TargetServer } from './session.js';
import type { OnStep } from './steps.js';
import { switchOver } from './switch-over.js';

export interface Publication {
  readonly version: DatasetVersion;
  readonly staging: string;
  readonly roles: EnvironmentRoles;
  readonly adopt: boolean;
  /** Of the database that was current when the run began; null: there was none. */
  readonly expectedOid: number | null;
  readonly clock: Clock;
}

/** MUST be given the session that holds the run's and the target's lock: when that is lost, nothing can be published. */
export async function publish(server: TargetServer, session: Session, order: Publication): Promise<void> {
  const { target } = server;
  const names = { clear: [target], watch: [target, order.staging] };
  const change = async (): Promise<void> => {
    const databases = await readDatabases(session);
    const current = databases.find(({ name }) => name === target);
    const staging = databases.find(({ name }) => name === order.staging);
    if ((current?.oid ?? null) !== order.expectedOid || !staging) throw toError('TARGET_CHANGED', { stage: 'deliver', name: target });
    if (current && current.ours?.target !== target && !order.adopt) throw toError('TARGET_NOT_OURS', { stage: 'deliver', name: target });
    const now = toTimestamp(order.clock.now());
    if (current) await carryOver(session, current, staging.name);
    await openToEnvironment(session, staging.name, order.roles);
    // A copy of a template is closed until now.
    await session.query(`ALTER DATABASE ${quoteName(staging.name)} ALLOW_CONNECTIONS true`);
    await session.query(`DROP ROLE ${quoteName(order.staging)}`);
    const comment = current?.ours ? current.ours.comment : (current?.comment ?? undefined);
    const { version, runId, planDigest } = order.version;
    if (current) await makePrevious(session, current, order, now, false);
    await rename(session, staging.name, target);
    await setComment(session, target, { target, version, state: 'current', runId, planDigest, publishedAt: now, comment });
  };
  try {
    await switchOver(server, session, names, change);
  } catch (error) {
    if (!session.lost || !(await isCurrent(server, order.version.runId))) throw error;
  }
}

/** What the rights on the database and its settings will be once it is published: the publication's own statements, taken back again. */
export async function rehearseRights(
  session: Session,
  { target, staging, roles, expectedOid }: Pick<Publication, 'staging' | 'roles' | 'expectedOid'> & { readonly target: string },
): Promise<readonly Definition[]> {
  let seen: readonly Definition[] = [];
  const enough = new Error('rehearsed');
  const rehearse = async (): Promise<never> => {
    const current = (await readDatabases(session)).find(({ name }) => name === target);
    if ((current?.oid ?? null) !== expectedOid) throw toError('TARGET_CHANGED', { stage: 'deliver', name: target });
    if (current) await carryOver(session, current, staging);
    await openToEnvironment(session, staging, roles);
    seen = await readDatabaseRights((text, values) => session.query(text, values), staging);
    throw enough;
  };
  await session.transaction(rehearse).catch((error: unknown) => {
    if (error !== enough) throw error;
  });
  return seen;
}

/** Makes the version before the current one current again. Returns it. */
export async function rollback(
  server: TargetServer,
  session: Session,
  clock: Clock,
  verifiers: readonly Verifier[],
  permit?: Permit,
  onStep: OnStep = () => undefined,
): Promise<DatasetVersion> {
  const { target } = server;
  const previous = toReturnable(await readDatabases(session), target)[0];
  if (!previous?.ours) throw toError('ROLLBACK_NOTHING', { name: target });
  const { ours, name } = previous;
  // What was adopted never had a marker: it is somebody's own database, under number 0.
  const problem = ours.version === 0 ? undefined : await findMarkerProblem(server, name, ours, verifiers, clock.now());
  if (problem !== undefined) throw toError('ROLLBACK_MARKER', { name: target, amount: String(ours.version), expected: problem });
  const [wanted] = toDatasets([previous], target);
  if (wanted) await permit?.(wanted);
  await onStep('rollback.switch');
  await switchOver(server, session, { clear: [target, name], watch: [target, name] }, async () => {
    const current = (await readDatabases(session)).find((database) => database.name === target);
    if (current && current.ours?.target !== target) throw toError('TARGET_NOT_OURS', { name: target });
    // The current one may have been withdrawn: then nothing has to give way.
    if (current) await makePrevious(session, current, { clock }, toTimestamp(clock.now()), true);
    await onStep('rollback.rename');
    await rename(session, name, target);
    await setComment(session, target, { ...ours, state: 'current', replacedAt: undefined });
  });
  const version = toDatasets(await readDatabases(session), target).find(({ state }) => state === 'current');
  if (!version) throw toError('TARGET_CHANGED', { name: target });
  return version;
}

/** Previous versions to which a roll-back may return, the one replaced last first: the highest number, whatever the clocks said at the time. */
function toReturnable(databases: readonly Database[], target: string): readonly Database[] {
  return databases
    .filter(({ ours }) => ours?.target === target && ours.state === 'previous' && !ours.rolledBack && !ours.closed)
    .sort((a, b) => (b.ours?.version ?? 0) - (a.ours?.version ?? 0));
}

async function makePrevious(
  session: Session,
  current: Database,
  { clock }: { readonly clock: Clock },
  replacedAt: string,
  rolledBack: boolean,
): Promise<void> {
  const target = current.name;
  // A database that was adopted has no version of ours: it is number 0, under a name that nobody else has.
  const ours: OwnComment = current.ours ?? {
    target,
    version: 0,
    state: 'current',
    runId: newRunId(clock.now()),
    comment: current.comment ?? undefined,
  };
  const name = toStagingName(target, ours.runId);
  await rename(session, target, name);
  await setComment(session, name, { ...ours, state: 'previous', replacedAt, rolledBack: rolledBack || undefined });
}

async function rename(session: Session, from: string, to: string): Promise<void> {
  await session.query(`ALTER DATABASE ${quoteName(from)} RENAME TO ${quoteName(to)}`);
}

async function setComment(session: Session, name: string, ours: OwnComment): Promise<void> {
  await session.query(`COMMENT ON DATABASE ${quoteName(name)} IS ${quoteLiteral(toCommentText(ours))}`);
}

/** After a connection that was lost at the commit: only the server knows what came of it. */
async function isCurrent(server: TargetServer, runId: string): Promise<boolean> {
  const unknown = toError('TARGET_SWITCH_UNKNOWN', { stage: 'deliver', name: server.target });
  const session = await server.openMaintenance().catch(() => {
    throw unknown;
  });
  try {
    return (await readDatabases(session)).some(({ name, ours }) => name === server.target && ours?.runId === runId);
  } finally {
    await session.end();
  }
}
