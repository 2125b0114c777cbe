// Runs the statements that rebuild the schema: one after the other before the data, several at a time after it.
import { BautaError, type Finding, toError, toFinding } from '../../../kernel/errors.js';
import { type Session, toSqlState } from './session.js';

/** One statement that makes one object; `object` names it for people: kind and qualified name. */
export interface Statement {
  readonly sql: string;
  readonly object: string;
  /** Label of the one table whose rows it needs. Only a statement of the first phase may say so. */
  readonly rowsOf?: string;
}

export interface SchemaStatements {
  readonly preData: readonly Statement[];
  /** Phases; the statements of one phase may run at the same time. */
  readonly postData: readonly (readonly Statement[])[];
}

/**
 * Runs statements in order on a session of the run's role. An extension that is not trusted is made by the provisioning role: it is the
 * server's own code, and only a role with rights of its own may install it. Throws DELIVER_OBJECT_FAILED with the object's name.
 */
export async function runInOrder(session: Session, statements: readonly Statement[], role: string): Promise<void> {
  for (const statement of statements) {
    const name = findExtension(statement.object);
    const asProvisioner = name !== undefined && !(await isTrusted(session, name));
    if (asProvisioner) await session.query(`SELECT set_config('role', 'none', false)`);
    await runOne(session, statement);
    if (asProvisioner) await session.query(`SELECT set_config('role', $1, false)`, [role]);
  }
}

/** The name in `extension hstore`, `extension public.hstore` or `extension public."uuid-ossp"`. */
function findExtension(object: string): string | undefined {
  if (!object.startsWith('extension ')) return undefined;
  const [, quoted, plain] = /[ .](?:"((?:[^"]|"")+)"|([^".\s]+))$/u.exec(object) ?? [];
  return quoted?.replaceAll('""', '"') ?? plain;
}

async function isTrusted(session: Session, name: string): Promise<boolean> {
  const [row] = await session.query<{ trusted: boolean }>(
    'SELECT bool_or(trusted) AS trusted FROM pg_available_extension_versions WHERE name = $1',
    [name],
  );
  return row?.trusted === true;
}

/** What came of a statement: nothing, or that its object cannot be made. Throws when it could not try (connection, disk, memory). */
export async function make(
  session: Session,
  statement: Statement,
  steps?: { add(session: Session, statement: Statement): Promise<void> },
): Promise<Finding | undefined> {
  try {
    await runOne(session, statement, steps && (() => steps.add(session, statement)));
    return undefined;
  } catch (error) {
    if (!(error instanceof BautaError) || error.code !== 'DELIVER_OBJECT_FAILED') throw error;
    return toFinding(error.code, error.where);
  }
}

/** Two foreign keys made at once may lock their tables crosswise; the server ends one, which is then simply tried again. */
const deadlock = '40P01';
const attempts = 5;

/** `also` is done in the same transaction. */
async function runOne(session: Session, statement: Statement, also?: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (also)
        await session.transaction(async () => {
          await session.query(statement.sql);
          await also();
        });
      else await session.query(statement.sql);
      return;
    } catch (error) {
      const sqlState = toSqlState(error);
      if (sqlState === deadlock && attempt < attempts) continue;
      // Class 08, 40, 53, 57, 58: the server could not do it now; everything else speaks of the object.
      if (sqlState === '' || /^(08|40|53|57P|58)/.test(sqlState)) throw error;
      throw toError('DELIVER_OBJECT_FAILED', { stage: 'deliver', object: statement.object, sqlState });
    }
  }
}
