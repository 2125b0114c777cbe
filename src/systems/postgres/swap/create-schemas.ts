// The empty schemas of a run, and what becomes of them before the switch: the builder's for as long as it builds, then the environment's.
import { type Catalogue, toLabel } from '../../../pipeline/catalogue.js';
import { quoteLiteral, quoteName, quoteQualified } from '../quote.js';
import type { EnvironmentRoles } from '../target/names.js';
import type { OwnComment } from '../target/own-comment.js';
import type { Session } from '../target/session.js';
import type { Places } from './places.js';
import { writeRecord } from './records.js';

/** In one transaction, so that none is ever there without the record. The provisioning role owns them: the builder may fill them and nothing else. */
export async function createSchemas(
  session: Session,
  places: Places,
  ours: OwnComment,
  builder: string,
  catalogue: Pick<Catalogue, 'schemas'>,
  dropped: readonly string[],
): Promise<void> {
  const comments = new Map(catalogue.schemas.map(({ name, comment }) => [name, comment]));
  await session.transaction(async () => {
    await createClosed(session, places.record);
    await writeRecord(session, places.record, { ...ours, schemas: [...places.schemas.keys()] });
    for (const [name, place] of places.schemas) {
      await createClosed(session, place);
      const comment = dropped.includes(`comment on schema ${toLabel(name)}`) ? null : (comments.get(name) ?? null);
      if (comment !== null) await session.query(`COMMENT ON SCHEMA ${quoteName(place)} IS ${quoteLiteral(comment)}`);
      await session.query(`GRANT USAGE, CREATE ON SCHEMA ${quoteName(place)} TO ${quoteName(builder)}`);
    }
  });
}

/** Default privileges of the login may give somebody a right to every new schema. */
async function createClosed(session: Session, name: string): Promise<void> {
  const schema = quoteName(name);
  await session.query(`CREATE SCHEMA ${schema}`);
  const others = await session.query<{ role: string | null }>(
    `SELECT DISTINCT CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END AS role FROM pg_namespace n, aclexplode(n.nspacl) a
      WHERE n.nspname = $1 AND a.grantee <> n.nspowner`,
    [name],
  );
  for (const { role } of others) await session.query(`REVOKE ALL ON SCHEMA ${schema} FROM ${role === null ? 'PUBLIC' : quoteName(role)}`);
}

/** What the builder made becomes the environment owner's. Nobody of the environment may look into the schemas yet. */
export async function handOver(session: Session, places: Places, builder: string, roles: EnvironmentRoles): Promise<void> {
  const [from, owner] = [quoteName(builder), quoteName(roles.owner)];
  const schemas = [...places.schemas.values()].map(quoteName).join(', ');
  await session.transaction(async () => {
    // The server wants the new owner to have CREATE where it gets something.
    await session.query(`GRANT CREATE ON SCHEMA ${schemas} TO ${owner}`);
    await session.query(`REASSIGN OWNED BY ${from} TO ${owner}`);
    await session.query(`REVOKE ALL ON SCHEMA ${schemas} FROM ${from}, ${owner}`);
  });
}

/** Rights on everything in the schemas for read-write and read-only, and on what the owner makes later. Schemas stay closed until the switch. */
export async function grantInside(session: Session, places: Places, roles: EnvironmentRoles): Promise<void> {
  const [rw, ro, owner] = [quoteName(roles.readWrite), quoteName(roles.readOnly), quoteName(roles.owner)];
  const relations = await session.query<{ schema: string; name: string; sequence: boolean }>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'S' AS sequence FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'S') ORDER BY 1, 2`,
    [[...places.schemas.values()]],
  );
  const [tables, sequences] = [relations.filter(({ sequence }) => !sequence), relations.filter(({ sequence }) => sequence)].map((some) =>
    some.map(quoteQualified).join(', '),
  );
  await session.transaction(async () => {
    if (tables) {
      await session.query(`GRANT SELECT ON TABLE ${tables} TO ${ro}`);
      await session.query(`GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLE ${tables} TO ${rw}`);
    }
    if (sequences) {
      await session.query(`GRANT SELECT ON SEQUENCE ${sequences} TO ${ro}`);
      await session.query(`GRANT SELECT, USAGE, UPDATE ON SEQUENCE ${sequences} TO ${rw}`);
    }
    const later = `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner}`;
    await session.query(`${later} GRANT SELECT ON TABLES TO ${ro}`);
    await session.query(`${later} GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLES TO ${rw}`);
    await session.query(`${later} GRANT SELECT ON SEQUENCES TO ${ro}`);
    await session.query(`${later} GRANT SELECT, USAGE, UPDATE ON SEQUENCES TO ${rw}`);
  });
}
