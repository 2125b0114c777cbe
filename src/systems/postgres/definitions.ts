// What a database holds beside rows, as the server writes it down, for digests of it. What belongs to an extension is the extension's.
import { type Definition, databaseRights } from '../../pipeline/definition-digest.js';
import { markerSchema } from '../../pipeline/marker.js';

type Query = <Row extends Record<string, unknown>>(text: string, values: readonly unknown[]) => Promise<readonly Row[]>;

/** `schemas`: a version that is these schemas; null: all of the database. */
export async function readDefinitions(query: Query, schemas: readonly string[] | null): Promise<readonly Definition[]> {
  const rows = await query<{ kind: Definition['kind']; name: string; text: string | null }>(definitions, [markerSchema, schemas]);
  return rows.map(({ kind, name, text }) => ({ kind, name, text: text ?? '' }));
}

/** Who owns the database and may do what with it, and what is set for it; of a version that is a database of its own. */
export async function readDatabaseRights(query: Query, database: string): Promise<readonly Definition[]> {
  const rows = await query<{ name: string; text: string | null }>(ofDatabase, [database]);
  return rows.map(({ name, text }) => ({ kind: 'rights', name, text: text ?? '' }));
}

const own = (catalogue: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalogue}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

const acl = (list: string, kind: string, owner: string): string =>
  `pg_get_userbyid(${owner}) || ': ' || coalesce((SELECT string_agg(concat_ws(' ', CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END,
      a.privilege_type, CASE WHEN a.is_grantable THEN 'WITH GRANT OPTION' END), ', ' ORDER BY a.grantee = 0, pg_get_userbyid(a.grantee), a.privilege_type)
    FROM aclexplode(coalesce(${list}, acldefault('${kind}', ${owner}))) a), '')`;

const columns = `(SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), a.attnotnull, nullif(a.attidentity, ''),
      nullif(a.attgenerated, ''), nullif(a.attcollation, 0)::regcollation, pg_get_expr(f.adbin, f.adrelid)), ', ' ORDER BY a.attnum)
    FROM pg_attribute a LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)`;

const columnRights = `(SELECT string_agg(quote_ident(a.attname) || ' ' || (SELECT string_agg(concat_ws(' ',
      CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END, x.privilege_type, x.is_grantable), ', '
      ORDER BY x.grantee = 0, pg_get_userbyid(x.grantee), x.privilege_type) FROM aclexplode(a.attacl) x), '; ' ORDER BY a.attnum)
    FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped)`;

/** A view has rules of its own; a table's row type and an array are not written down for themselves. */
const definitions = `
  WITH s AS (SELECT oid, nspname, nspowner, nspacl FROM pg_namespace n WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', $1)
               AND ($2::text[] IS NULL OR nspname = ANY ($2)) AND ${own('pg_namespace', 'n.oid')}),
    c AS (SELECT c.* FROM pg_class c WHERE relnamespace IN (SELECT oid FROM s) AND ${own('pg_class', 'c.oid')}),
    p AS (SELECT p.* FROM pg_proc p WHERE pronamespace IN (SELECT oid FROM s) AND ${own('pg_proc', 'p.oid')}),
    t AS (SELECT t.* FROM pg_type t WHERE typnamespace IN (SELECT oid FROM s) AND typtype IN ('c', 'd', 'e', 'r') AND ${own('pg_type', 't.oid')}
            AND (typrelid = 0 OR EXISTS (SELECT FROM pg_class k WHERE k.oid = typrelid AND k.relkind = 'c')))
  SELECT 'function' AS kind, p.oid::regprocedure::text AS name, CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE
      (SELECT concat_ws(' ', a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggtranstype::regtype, a.agginitval, a.aggsortop::regoperator)
         FROM pg_aggregate a WHERE a.aggfnoid = p.oid) END AS text FROM p
  UNION ALL SELECT 'view', c.oid::regclass::text, concat_ws(' ', c.relkind, c.reloptions, pg_get_viewdef(c.oid)) FROM c WHERE relkind IN ('v', 'm')
  UNION ALL SELECT 'trigger', quote_ident(g.tgname) || ' on ' || c.oid::regclass, concat_ws(' ', g.tgenabled, pg_get_triggerdef(g.oid))
    FROM pg_trigger g JOIN c ON c.oid = g.tgrelid WHERE NOT g.tgisinternal
  UNION ALL SELECT 'event trigger', quote_ident(evtname), concat_ws(' ', evtevent, evtenabled, evttags, evtfoid::regprocedure)
    FROM pg_event_trigger e WHERE $2::text[] IS NULL AND ${own('pg_event_trigger', 'e.oid')}
  UNION ALL SELECT 'policy', quote_ident(polname) || ' on ' || c.oid::regclass, concat_ws(' ', polcmd, polpermissive,
      (SELECT string_agg(CASE WHEN r = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r) END, ', ' ORDER BY r = 0, pg_get_userbyid(r)) FROM unnest(polroles) r),
      'USING', pg_get_expr(polqual, polrelid), 'CHECK', pg_get_expr(polwithcheck, polrelid)) FROM pg_policy JOIN c ON c.oid = polrelid
  UNION ALL SELECT 'rule', quote_ident(rulename) || ' on ' || c.oid::regclass, concat_ws(' ', ev_enabled, pg_get_ruledef(w.oid))
    FROM pg_rewrite w JOIN c ON c.oid = w.ev_class WHERE rulename <> '_RETURN'
  UNION ALL SELECT 'sequence', c.oid::regclass::text, concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle)
    FROM pg_sequence q JOIN c ON c.oid = q.seqrelid
  UNION ALL SELECT 'table', c.oid::regclass::text, concat_ws(' ', c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
      ${columns}, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid)) FROM c WHERE relkind IN ('r', 'p', 'f')
  UNION ALL SELECT 'constraint', quote_ident(k.conname) || ' on ' || coalesce(c.oid::regclass::text, k.contypid::regtype::text),
      concat_ws(' ', k.convalidated, pg_get_constraintdef(k.oid))
    FROM pg_constraint k LEFT JOIN c ON c.oid = k.conrelid WHERE k.contype <> 't' AND (c.oid IS NOT NULL OR k.contypid IN (SELECT oid FROM t))
  UNION ALL SELECT 'index', c.oid::regclass::text, concat_ws(' ', i.indisvalid, pg_get_indexdef(c.oid)) FROM pg_index i JOIN c ON c.oid = i.indexrelid
  UNION ALL SELECT 'type', t.oid::regtype::text, concat_ws(' ', t.typtype, t.typnotnull, t.typdefault, nullif(t.typbasetype, 0)::regtype, t.typtypmod,
      (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
      (SELECT rngsubtype::regtype::text FROM pg_range WHERE rngtypid = t.oid), (SELECT ${columns} FROM pg_class c WHERE c.oid = t.typrelid)) FROM t
  UNION ALL SELECT 'extension', quote_ident(extname), extversion FROM pg_extension WHERE $2::text[] IS NULL
  UNION ALL SELECT 'publication', quote_ident(pubname), concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete,
      (SELECT string_agg(prrelid::regclass::text, ', ' ORDER BY prrelid::regclass::text) FROM pg_publication_rel WHERE prpubid = b.oid))
    FROM pg_publication b WHERE $2::text[] IS NULL
  UNION ALL SELECT 'foreign server', quote_ident(srvname), concat_ws(' ', srvtype, srvversion, srvoptions) FROM pg_foreign_server f
    WHERE $2::text[] IS NULL AND ${own('pg_foreign_server', 'f.oid')}
  UNION ALL SELECT 'rights', CASE c.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'view ' ELSE 'table ' END || c.oid::regclass,
      concat_ws('; ', CASE c.relkind WHEN 'S' THEN ${acl('c.relacl', 's', 'c.relowner')} ELSE ${acl('c.relacl', 'r', 'c.relowner')} END, ${columnRights})
    FROM c WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
  UNION ALL SELECT 'rights', 'function ' || p.oid::regprocedure, ${acl('p.proacl', 'f', 'p.proowner')} FROM p
  UNION ALL SELECT 'rights', 'type ' || t.oid::regtype, ${acl('t.typacl', 'T', 't.typowner')} FROM t
  UNION ALL SELECT 'rights', 'schema ' || quote_ident(nspname), ${acl('s.nspacl', 'n', 's.nspowner')} FROM s WHERE $2::text[] IS NULL
  UNION ALL SELECT 'rights', concat_ws(' ', 'what', quote_ident(pg_get_userbyid(defaclrole)), 'makes later', 'in schema ' || quote_ident(s.nspname)),
      concat_ws(' ', defaclobjtype, ${acl('x.defaclacl', 'r', 'x.defaclrole')}) FROM pg_default_acl x LEFT JOIN s ON s.oid = x.defaclnamespace
    WHERE s.oid IS NOT NULL OR (x.defaclnamespace = 0 AND $2::text[] IS NULL)`;

/** Names as `databaseRights` has them. */
const ofDatabase = `
  SELECT '${databaseRights[0]}' AS name, ${acl('d.datacl', 'd', 'd.datdba')} AS text FROM pg_database d WHERE d.datname = $1
  UNION ALL SELECT '${databaseRights[1]}', concat_ws('; ', d.datconnlimit,
      (SELECT string_agg(concat_ws(': ', CASE WHEN s.setrole = 0 THEN '' ELSE pg_get_userbyid(s.setrole) END,
          (SELECT string_agg(c, ', ' ORDER BY c) FROM unnest(s.setconfig) c)), '; ' ORDER BY s.setrole = 0, pg_get_userbyid(s.setrole))
         FROM pg_db_role_setting s WHERE s.setdatabase = d.oid))
    FROM pg_database d WHERE d.datname = $1`;
