// Makes the role and the empty database of a run. Each step leaves something that the sweep recognises as ours if it is the last.
import type { DatabaseLocale } from '../../../pipeline/catalogue.js';
import { quoteLiteral, quoteName } from '../quote.js';
import { toCommentText, toRoleCommentText, type OwnComment } from './own-comment.js';
import { readRoles } from './databases.js';
import type { EnvironmentRoles } from './names.js';
import type { Session } from './session.js';
import type { OnStep } from './steps.js';

export interface StagingOrder {
  /** Name of the database and of its role. */
  readonly name: string;
  readonly ours: OwnComment;
  readonly roles: EnvironmentRoles;
  /** SCRAM verifier of the run's login. */
  readonly verifier: string;
  readonly encoding: string;
  /** Absent: the server's own default. */
  readonly locale: DatabaseLocale | undefined;
}

export async function createStaging(session: Session, order: StagingOrder, onStep: OnStep): Promise<void> {
  const name = quoteName(order.name);
  await onStep('role.create');
  const { target } = order.ours;
  // One transaction: a role of a run never exists without its comment.
  await session.transaction(async () => {
    await createOwnRole(session, order.name, toRoleCommentText({ target, role: 'run' }), `LOGIN PASSWORD ${quoteLiteral(order.verifier)}`);
    await createEnvironmentRoles(session, target, order.roles);
  });
  await onStep('database.create');
  await session.query(
    `CREATE DATABASE ${name} OWNER ${name} TEMPLATE template0 ALLOW_CONNECTIONS false ENCODING ${quoteLiteral(order.encoding)}${toLocaleClause(order.locale)}`,
  );
  await onStep('database.mark');
  await session.query(`COMMENT ON DATABASE ${name} IS ${quoteLiteral(toCommentText(order.ours))}`);
  await session.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
  await onStep('database.open');
  await session.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
}

/** Before the schema, because policies may name them. A run that publishes nothing drops again what it was the first to need. */
async function createEnvironmentRoles(session: Session, target: string, roles: EnvironmentRoles): Promise<void> {
  const known = new Set((await readRoles(session)).map(({ name }) => name));
  const wanted = [
    [roles.owner, 'owner'],
    [roles.readWrite, 'rw'],
    [roles.readOnly, 'ro'],
    ...roles.mapped.map((name) => [name, 'mapped'] as const),
  ] as const;
  for (const [name, role] of wanted) {
    if (!known.has(name)) await createOwnRole(session, name, toRoleCommentText({ target, role }));
  }
}

/** A role whose rights the provisioning role has; nobody logs in as it, if not said otherwise. MUST run in a transaction. */
export async function createOwnRole(session: Session, role: string, comment: string, login = 'NOLOGIN'): Promise<void> {
  const name = quoteName(role);
  await session.query(`CREATE ROLE ${name} ${login} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS`);
  await session.query(`COMMENT ON ROLE ${name} IS ${quoteLiteral(comment)}`);
  await grantToSelf(session, role);
}

/** Gives the provisioning role the rights of a role that it made. From 16 on each way of using them is granted by name. */
async function grantToSelf(session: Session, role: string): Promise<void> {
  const [server] = await session.query<{ version: number }>(`SELECT current_setting('server_version_num')::int AS version`);
  const options = (server?.version ?? 0) >= 160_000 ? ' WITH INHERIT TRUE, SET TRUE' : '';
  await session.query(`GRANT ${quoteName(role)} TO CURRENT_USER${options}`);
}

function toLocaleClause(locale: DatabaseLocale | undefined): string {
  if (!locale) return '';
  const libc = ` LC_COLLATE ${quoteLiteral(locale.collate)} LC_CTYPE ${quoteLiteral(locale.ctype)}`;
  const rules = locale.icuRules === null ? '' : ` ICU_RULES ${quoteLiteral(locale.icuRules)}`;
  if (locale.provider === 'i') return `${libc} LOCALE_PROVIDER icu ICU_LOCALE ${quoteLiteral(locale.locale ?? '')}${rules}`;
  if (locale.provider === 'b') return `${libc} LOCALE_PROVIDER builtin BUILTIN_LOCALE ${quoteLiteral(locale.locale ?? '')}`;
  return `${libc} LOCALE_PROVIDER libc`;
}
