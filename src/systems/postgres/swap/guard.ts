// Which objects hang on two things at once, from pg_depend: everything that stands on a set of schemas, cut with everything that stands on another.
import type { Session } from '../target/session.js';

/** Roots are schemas; what depends on something reached is reached. Members of extensions belong to the extension's schema. */
const reach = (roots: string, name: string): string => `
  ${name} AS (
    SELECT 'pg_namespace'::regclass::oid AS class, n.oid AS id FROM pg_namespace n WHERE ${roots}
    UNION SELECT d.classid, d.objid FROM pg_depend d JOIN ${name} r ON d.refclassid = r.class AND d.refobjid = r.id WHERE d.deptype <> 'e')`;

const person = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_extension x WHERE x.extnamespace = n.oid)`;

const described = `(pg_identify_object(class, id, 0)).type || ' ' || (pg_identify_object(class, id, 0)).identity AS object`;

/** Objects that stand on these schemas and on others that are no extension's: they would go with one, or bind one version to another. */
export async function findShared(session: Session, schemas: readonly string[]): Promise<readonly string[]> {
  const rows = await session.query<{ object: string }>(
    `WITH RECURSIVE ${reach('n.nspname = ANY ($1::text[])', 'inside')}, ${reach(`n.nspname <> ALL ($1::text[]) AND ${person}`, 'outside')}
     SELECT DISTINCT ${described} FROM inside JOIN outside USING (class, id) ORDER BY 1 LIMIT 20`,
    [schemas],
  );
  return rows.map(({ object }) => object);
}

/**
 * What hangs on these schemas and stands in none: publications, event triggers, and default privileges that are not of `owner`, whose own go
 * with the version. Nobody would move them to the next one.
 */
export async function findHanging(session: Session, schemas: readonly string[], owner: string): Promise<readonly string[]> {
  const rows = await session.query<{ object: string }>(
    `WITH RECURSIVE ${reach('n.nspname = ANY ($1::text[])', 'inside')}
     SELECT DISTINCT ${described} FROM inside
      WHERE class IN ('pg_publication_rel'::regclass, 'pg_publication_namespace'::regclass, 'pg_event_trigger'::regclass, 'pg_extension'::regclass)
         OR class = 'pg_default_acl'::regclass AND NOT EXISTS (SELECT FROM pg_default_acl d JOIN pg_roles o ON o.oid = d.defaclrole WHERE d.oid = id AND o.rolname = $2)
      ORDER BY 1 LIMIT 20`,
    [schemas, owner],
  );
  return rows.map(({ object }) => object);
}
