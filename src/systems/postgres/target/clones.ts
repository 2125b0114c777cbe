// Clones of the published version: a database each, which belongs to a role of its own and to nobody else. What a clone is stands in the comment
// on its role, because its holder owns the database and not the role.
import { type Clock, toTimestamp } from '../../../kernel/clock.js';
import { BautaError, toError } from '../../../kernel/errors.js';
import type { Verifier } from '../../../kernel/signed-note.js';
import type { Clone, CloneOrder, Clones, Login } from '../../../pipeline/ports.js';
import { quoteLiteral, quoteName } from '../quote.js';
import { createOwnRole } from './create-staging.js';
import { type Database, type Role, readDatabases, readRoles } from './databases.js';
import { carrySettings } from './hand-over.js';
import { tryLock, unlock, waitForLock } from './locks.js';
import { findMarkerProblem } from './marker-of.js';
import { findOwnName, toCloneName, toTemplateName } from './names.js';
import { type CloneComment, toRoleCommentText } from './own-comment.js';
import { requireRoom } from './room.js';
import { createRunLogin } from './run-login.js';
import { type Session, type TargetServer, toSqlState } from './session.js';
import type { OnStep } from './steps.js';
import { copyDatabase } from './template.js';

export interface ClonesParts {
  readonly server: TargetServer;
  readonly clock: Clock;
  readonly verifiers: readonly Verifier[];
  readonly onStep: OnStep;
}

export class PostgresClones implements Clones {
  readonly #parts: ClonesParts;

  constructor(parts: ClonesParts) {
    this.#parts = parts;
  }

  list(): Promise<readonly Clone[]> {
    return this.#withSession(async (session) => {
      const found = (await this.#read(session)).filter(({ comment }) => comment.state === 'ready');
      return found.map((one) => this.#toClone(one)).sort((a, b) => (a.id < b.id ? -1 : 1));
    });
  }

  make(order: CloneOrder): Promise<{ readonly clone: Clone; readonly login: Login }> {
    return this.#withSession(async (session) => {
      const { target } = this.#parts.server;
      if (!(await tryLock(session, 'run', order.id))) throw toError('CLONE_BUSY', { stage: 'deliver', name: order.for });
      const known = (await this.#read(session)).find(({ id }) => id === order.id);
      if (known?.comment.state === 'ready') return this.#renew(session, known, order);
      try {
        const { comment, from } = await this.#reserve(session, order);
        const name = toCloneName(target, order.id);
        await this.#parts.onStep('clone.copy');
        await copyDatabase(session, toTemplateName(target, comment.runId), name, name);
        await this.#parts.onStep('clone.open');
        return await this.#open(session, { id: order.id, name, target, comment }, from.oid);
      } catch (error) {
        // What failed is what the caller must hear; what could not be dropped now is dropped by the next sweep.
        await this.#drop(session, order.id, () => undefined).catch(() => undefined);
        throw error;
      }
    });
  }

  drop(id: string): Promise<boolean> {
    return this.#withSession(async (session) => {
      if (!(await tryLock(session, 'run', id))) throw toError('CLONE_BUSY', { stage: 'deliver', name: id });
      return this.#drop(session, id, this.#parts.onStep);
    });
  }

  sweep(): Promise<readonly string[]> {
    return this.#withSession((session) => sweepClones(session));
  }

  /** Counted and named under one lock, so that twenty at once are twenty. */
  async #reserve(session: Session, order: CloneOrder): Promise<{ readonly comment: CloneComment; readonly from: Database }> {
    const { server, clock } = this.#parts;
    await waitForLock(session, 'clones', server.target);
    try {
      const there = await this.#read(session);
      if (there.some(({ comment }) => comment.for === order.for)) throw toError('CLONE_BUSY', { stage: 'deliver', name: order.for });
      if (there.length >= order.max) throw toError('CLONES_FULL', { stage: 'deliver', name: server.target, amount: String(order.max) });
      const { from, bytes } = await this.#findTemplate(session);
      const promised = there.filter(({ comment }) => comment.state === 'making').reduce((sum, { comment }) => sum + comment.bytes, 0);
      await requireRoom(server, session, promised + bytes, order.megabytes);
      const { version, runId, planDigest = '' } = from.ours!;
      const { for: purpose, expiresAt, lastsUntil } = order;
      const of = { for: purpose, version, runId, planDigest, bytes };
      const comment: CloneComment = { state: 'making', ...of, madeAt: toTimestamp(clock.now()), lastsUntil, expiresAt };
      await this.#parts.onStep('clone.role');
      await session.transaction(() => createOwnRole(session, toCloneName(server.target, order.id), this.#toText(comment)));
      return { comment, from };
    } finally {
      if (!session.lost) await unlock(session, 'clones', server.target);
    }
  }

  /** The published version, which is what its comment says, and what it was copied from. */
  async #findTemplate(session: Session): Promise<{ readonly from: Database; readonly bytes: number }> {
    const { server, clock, verifiers } = this.#parts;
    const { target } = server;
    const databases = await readDatabases(session);
    const from = databases.find(({ name }) => name === target);
    if (from?.ours?.target !== target || from.ours.state !== 'current')
      throw toError('TARGET_NOT_OURS', { stage: 'deliver', name: target });
    const { ours } = from;
    const problem = ours.closed ? 'nobody may use it' : await findMarkerProblem(server, target, ours, verifiers, clock.now());
    if (problem !== undefined)
      throw toError('CLONE_MARKER', { stage: 'deliver', name: target, amount: String(ours.version), expected: problem });
    const template = databases.find(({ name }) => name === toTemplateName(target, ours.runId));
    // By its comment alone, which only our role may write: it is the owner.
    if (template?.ours?.runId !== ours.runId || !template.owned) throw toError('CLONE_NO_TEMPLATE', { stage: 'deliver', name: target });
    return { from, bytes: template.ours.bytes ?? 0 };
  }

  /** One transaction: there is never a way in without all of what bounds it. */
  async #open(session: Session, one: Found, from: number): Promise<{ readonly clone: Clone; readonly login: Login }> {
    const { password, verifier } = createRunLogin();
    const name = quoteName(one.name);
    const ready = { ...one, comment: { ...one.comment, state: 'ready' } } as const;
    await session.transaction(async () => {
      await session.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
      await session.query(`GRANT ALL ON DATABASE ${name} TO ${name}`);
      await carrySettings(session, from, one.name, true);
      await this.#allow(session, ready, verifier);
      await session.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    });
    return { clone: this.#toClone(ready), login: { role: one.name, password } };
  }

  /** The same clone with a new password and a new time; who knew the old one is out with the next connection. */
  async #renew(session: Session, one: Found, { expiresAt }: CloneOrder): Promise<{ readonly clone: Clone; readonly login: Login }> {
    const { password, verifier } = createRunLogin();
    const renewed = { ...one, comment: { ...one.comment, expiresAt } };
    await session.transaction(() => this.#allow(session, renewed, verifier));
    return { clone: this.#toClone(renewed), login: { role: one.name, password } };
  }

  async #allow(session: Session, { name, comment }: Found, verifier: string): Promise<void> {
    const until = quoteLiteral(comment.expiresAt);
    await session.query(`ALTER ROLE ${quoteName(name)} LOGIN PASSWORD ${quoteLiteral(verifier)} VALID UNTIL ${until}`);
    await session.query(`COMMENT ON ROLE ${quoteName(name)} IS ${quoteLiteral(this.#toText(comment))}`);
  }

  async #drop(session: Session, id: string, onStep: OnStep): Promise<boolean> {
    const found = (await this.#read(session)).find((one) => one.id === id);
    if (!found) return false;
    await dropClone(session, found, onStep);
    return true;
  }

  #read(session: Session): Promise<readonly Found[]> {
    return readClones(session, this.#parts.server.target);
  }

  #toText(clone: CloneComment): string {
    return toRoleCommentText({ target: this.#parts.server.target, role: 'clone', clone });
  }

  #toClone({ id, name, target, comment }: Found): Clone {
    const { for: purpose, version, runId, planDigest, bytes, madeAt, lastsUntil, expiresAt } = comment;
    return { id, target, for: purpose, database: name, version, runId, planDigest, bytes, madeAt, lastsUntil, expiresAt };
  }

  async #withSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#parts.server.openMaintenance();
    try {
      return await work(session);
    } finally {
      await session.end();
    }
  }
}

interface Found {
  readonly id: string;
  /** Of the database and of its role. */
  readonly name: string;
  readonly target: string;
  readonly comment: CloneComment;
}

/** Clones in whatever state, of a target or of all: roles of the form of name that say so. */
async function readClones(session: Session, target?: string): Promise<readonly Found[]> {
  return (await readRoles(session)).flatMap(toFound).filter((one) => target === undefined || one.target === target);
}

function toFound({ name, ours, owned, superuser }: Role): readonly Found[] {
  const own = findOwnName(name);
  if (own?.form !== 'clone' || !ours?.clone || !owned || superuser) return [];
  return [{ id: own.id, name, target: ours.target, comment: ours.clone }];
}

/** Drops what is half made or half dropped, and nobody is at work on. */
export async function sweepClones(session: Session): Promise<readonly string[]> {
  const dropped: string[] = [];
  for (const { id, comment } of await readClones(session)) {
    if (comment.state === 'ready' || !(await tryLock(session, 'run', id))) continue;
    try {
      // Between our look and our lock its maker may have come to an end.
      const still = (await readClones(session)).find((one) => one.id === id && one.comment.state !== 'ready');
      if (!still) continue;
      await dropClone(session, still, () => undefined);
      dropped.push(still.name);
    } finally {
      await unlock(session, 'run', id);
    }
  }
  return dropped;
}

/** All clones of a version, whoever is at work on them. */
export async function dropClonesOf(session: Session, target: string, runId: string): Promise<readonly string[]> {
  const found = (await readClones(session, target)).filter(({ comment }) => comment.runId === runId);
  for (const one of found) await dropClone(session, one, () => undefined);
  return found.map(({ name }) => name);
}

/** The login first, so that nobody comes back; the role last, because it is what says that there was a clone. Safe to do again. */
async function dropClone(session: Session, { name, target, comment }: Found, onStep: OnStep): Promise<void> {
  const quoted = quoteName(name);
  await onStep('clone.close');
  const closed = toRoleCommentText({ target, role: 'clone', clone: { ...comment, state: 'dropping' } });
  await session.transaction(async () => {
    await session.query(`ALTER ROLE ${quoted} NOLOGIN PASSWORD NULL`);
    await session.query(`COMMENT ON ROLE ${quoted} IS ${quoteLiteral(closed)}`);
  });
  await onStep('clone.drop');
  await dropDatabase(session, name);
  await onStep('clone.forget');
  // What the role was given or made in the database where we stand; elsewhere it could not come, or was let in by its owner.
  await session.query(`DROP OWNED BY ${quoted}`);
  try {
    await session.query(`DROP ROLE IF EXISTS ${quoted}`);
  } catch (error) {
    if (toSqlState(error) !== '2BP01') throw error;
    throw toError('CLONE_ROLE_STAYS', { stage: 'deliver', name });
  }
}

/** Its holder owns it, and may have made a template of it, which is not dropped. */
async function dropDatabase(session: Session, name: string): Promise<void> {
  try {
    await session.query(`ALTER DATABASE ${quoteName(name)} IS_TEMPLATE false ALLOW_CONNECTIONS false`);
    await session.query(`DROP DATABASE IF EXISTS ${quoteName(name)} WITH (FORCE)`);
  } catch (error) {
    if (!(error instanceof BautaError) || error.where.sqlState !== '3D000') throw error;
  }
}
