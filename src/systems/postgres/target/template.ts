// A version that is to be cloned: its verified staging becomes the template, which nobody ever connects to again, and readers get a copy of it.
// A copy takes every byte with it and neither the rights on the database nor its settings; those are given anew.
import { toError } from '../../../kernel/errors.js';
import { quoteLiteral, quoteName } from '../quote.js';
import { type OwnComment, toCommentText } from './own-comment.js';
import { toTemplateName } from './names.js';
import { requireRoom } from './room.js';
import { type Session, type TargetServer, toSqlState } from './session.js';
import type { OnStep } from './steps.js';
import { switchOver } from './switch-over.js';

export interface Freezing {
  /** Name of the database, and of the run's role. */
  readonly staging: string;
  readonly ours: OwnComment;
  /** Role that owns databases of the environment. */
  readonly owner: string;
  readonly bytes: number;
  /** What all databases of the target may have together. */
  readonly megabytes: number | undefined;
}

/**
 * Afterwards the copy stands under staging's name, closed, for `publish` to switch to. Whatever step is the last, the sweep knows what is left:
 * the template by its comment, and the copy, until it has one, by its owner, who is the run's role.
 */
export async function freeze(server: TargetServer, session: Session, order: Freezing, onStep: OnStep): Promise<void> {
  const { staging, ours, owner, bytes } = order;
  const template = toTemplateName(ours.target, ours.runId);
  await requireRoom(server, session, bytes, order.megabytes);
  await onStep('template.freeze');
  await switchOver(server, session, { clear: [staging], watch: [staging] }, async () => {
    const name = quoteName(staging);
    await session.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    // Not the environment's: who owns it could open it.
    await session.query(`ALTER DATABASE ${name} OWNER TO CURRENT_USER`);
    await session.query(`REVOKE ALL ON DATABASE ${name} FROM CURRENT_USER`);
    await session.query(`ALTER DATABASE ${name} RENAME TO ${quoteName(template)}`);
    const comment = toCommentText({ ...ours, state: 'template', bytes });
    await session.query(`COMMENT ON DATABASE ${quoteName(template)} IS ${quoteLiteral(comment)}`);
  });
  await onStep('template.copy');
  await copyDatabase(session, template, staging, staging);
  await onStep('template.mark');
  await session.transaction(async () => {
    const name = quoteName(staging);
    await session.query(`COMMENT ON DATABASE ${name} IS ${quoteLiteral(toCommentText(ours))}`);
    await session.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
    await session.query(`ALTER DATABASE ${name} OWNER TO ${quoteName(owner)}`);
    await session.query(`REVOKE ALL ON DATABASE ${name} FROM ${quoteName(owner)}`);
  });
}

/** A closed database with the files of another one, by the server's own way to clone files where it has one (18) and the disk can do it. */
export async function copyDatabase(session: Session, template: string, name: string, owner: string): Promise<void> {
  const create = `CREATE DATABASE ${quoteName(name)} OWNER ${quoteName(owner)} TEMPLATE ${quoteName(template)} STRATEGY FILE_COPY ALLOW_CONNECTIONS false`;
  const [way] = await session.query<{ set: string }>(
    `SELECT set_config(name, 'clone', false) AS set FROM pg_settings WHERE name = 'file_copy_method' AND 'clone' = ANY (enumvals)`,
  );
  try {
    await session.query(create);
  } catch (error) {
    // 3D000, 22023: the version went while we looked. What only this way of copying cannot do, the other can.
    if (toSqlState(error) === '3D000') throw toError('CLONE_NO_TEMPLATE', { stage: 'deliver', name: template });
    if (way === undefined || !diskErrors.has(toSqlState(error))) throw error;
    await session.query(`SELECT set_config('file_copy_method', 'copy', false)`);
    await session.query(create);
  }
}

/** Of a file system that clones no files: 58030, and what Linux calls EINVAL, EXDEV, EOPNOTSUPP comes as XX000, 58P01 or 0A000. */
const diskErrors: ReadonlySet<string> = new Set(['58030', '58P01', 'XX000', '0A000']);
