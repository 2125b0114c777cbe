// What hangs on tables and schemas: sequences, triggers, rules, policies, extended statistics, text search, extensions.
import type {
  ConfigurationObject,
  DictionaryObject,
  ExtensionObject,
  PolicyObject,
  RuleObject,
  SequenceObject,
  StatisticsObject,
  TriggerObject,
} from '../../../pipeline/catalogue.js';
import { type SchemaObject, toObjectLabel } from '../../../pipeline/catalogue.js';
import { quoteQualified } from '../quote.js';
import { type ClassName, classOids, type Reading, findComment, readRows, toAddress, toUserObject, toUserSchema } from './reading.js';

type Row<T> = Omit<T, 'kind' | 'comment' | 'table'> & { oid: number };
type RowOnTable<T> = Row<T> & { table_name: string };

function register<T extends SchemaObject>(reading: Reading, name: ClassName, oid: number, object: T): T {
  reading.addresses.set(toAddress(name, oid), toObjectLabel(object));
  return object;
}

export async function readSequences(reading: Reading): Promise<readonly SequenceObject[]> {
  const rows = await readRows<
    Row<Omit<SequenceObject, 'column'>> & {
      owner: { schema: string; table: string; column: string; how: 'a' | 'i'; identity: '' | 'a' | 'd' } | null;
    }
  >(
    reading.client,
    `SELECT c.oid, n.nspname AS schema, c.relname AS name, format_type(s.seqtypid, NULL) AS type, s.seqstart::text AS start,
       s.seqincrement::text AS increment, s.seqmin::text AS minimum, s.seqmax::text AS maximum, s.seqcache::text AS cache,
       s.seqcycle AS cycle, c.relpersistence = 'u' AS unlogged,
       (SELECT json_build_object('schema', tn.nspname, 'table', t.relname, 'column', a.attname, 'how', d.deptype, 'identity', a.attidentity)
        FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
          JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
        WHERE d.classid = ${classOids.relation} AND d.objid = c.oid AND d.objsubid = 0 AND d.refclassid = ${classOids.relation}
          AND d.deptype IN ('a', 'i') LIMIT 1) AS owner
     FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ${toUserSchema('n')} AND ${toUserObject('relation', 'c.oid')}`,
  );
  return rows.map(({ oid, owner, ...row }) => {
    const how = owner?.how === 'i' ? ('identity' as const) : ('owned' as const);
    return register(reading, 'relation', oid, {
      kind: 'sequence',
      ...row,
      comment: findComment(reading, 'relation', oid),
      ...(owner && {
        table: { schema: owner.schema, name: owner.table },
        column: { name: owner.column, how, identity: owner.identity },
      }),
    });
  });
}

export async function readTriggers(reading: Reading): Promise<readonly TriggerObject[]> {
  const rows = await readRows<RowOnTable<Omit<TriggerObject, 'parentEnabled'>> & { parent_enabled: string | null }>(
    reading.client,
    `SELECT g.oid, n.nspname AS schema, c.relname AS table_name, g.tgname AS name, pg_get_triggerdef(g.oid) AS definition,
       g.tgenabled AS enabled, g.tgparentid <> 0 AS inherited, p.tgenabled AS parent_enabled
     FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_trigger p ON p.oid = g.tgparentid
     WHERE NOT g.tgisinternal AND ${toUserSchema('n')} AND ${toUserObject('relation', 'c.oid')}`,
  );
  return rows.map(({ oid, table_name, parent_enabled, ...row }) => {
    const table = { schema: row.schema, name: table_name };
    const comment = findComment(reading, 'trigger', oid);
    const parent = parent_enabled === null ? {} : { parentEnabled: parent_enabled };
    return register(reading, 'trigger', oid, { kind: 'trigger', ...row, table, comment, ...parent });
  });
}

/** Rules; the rule that makes a view is the view, and its dependencies are the view's. */
export async function readRules(reading: Reading): Promise<readonly RuleObject[]> {
  const rows = await readRows<RowOnTable<RuleObject> & { relation: number }>(
    reading.client,
    `SELECT r.oid, n.nspname AS schema, c.relname AS table_name, c.oid AS relation, r.rulename AS name,
       CASE WHEN r.rulename <> '_RETURN' THEN pg_get_ruledef(r.oid) ELSE '' END AS definition, r.ev_enabled AS enabled
     FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ${toUserSchema('n')} AND ${toUserObject('relation', 'c.oid')}`,
  );
  const rules: RuleObject[] = [];
  for (const { oid, table_name, relation, ...row } of rows) {
    const view = reading.addresses.get(toAddress('relation', relation));
    if (row.name === '_RETURN') {
      if (view !== undefined) reading.addresses.set(toAddress('rule', oid), view);
      continue;
    }
    const table = { schema: row.schema, name: table_name };
    rules.push(register(reading, 'rule', oid, { kind: 'rule', ...row, table, comment: findComment(reading, 'rule', oid) }));
  }
  return rules;
}

export async function readPolicies(reading: Reading): Promise<readonly PolicyObject[]> {
  const rows = await readRows<RowOnTable<PolicyObject>>(
    reading.client,
    `SELECT p.oid, n.nspname AS schema, c.relname AS table_name, p.polname AS name, p.polcmd AS command, p.polpermissive AS permissive,
       (SELECT coalesce(array_agg(r.rolname::text ORDER BY r.rolname), '{}') FROM pg_roles r
         WHERE r.oid = ANY (p.polroles) AND NOT 0 = ANY (p.polroles)) AS roles,
       pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS check
     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ${toUserSchema('n')} AND ${toUserObject('relation', 'c.oid')}`,
  );
  return rows.map(({ oid, table_name, ...row }) => {
    const table = { schema: row.schema, name: table_name };
    return register(reading, 'policy', oid, { kind: 'policy', ...row, table, comment: findComment(reading, 'policy', oid) });
  });
}

export async function readExtendedStatistics(reading: Reading): Promise<readonly StatisticsObject[]> {
  const rows = await readRows<RowOnTable<StatisticsObject> & { table_schema: string }>(
    reading.client,
    `SELECT s.oid, n.nspname AS schema, s.stxname AS name, tn.nspname AS table_schema, c.relname AS table_name,
       pg_get_statisticsobjdef(s.oid) AS definition, nullif(s.stxstattarget, -1)::int AS target
     FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace JOIN pg_class c ON c.oid = s.stxrelid
       JOIN pg_namespace tn ON tn.oid = c.relnamespace
     WHERE ${toUserSchema('n')} AND ${toUserObject('statistics', 's.oid')}`,
  );
  return rows.map(({ oid, table_name, table_schema, ...row }) => {
    const table = { schema: table_schema, name: table_name };
    return register(reading, 'statistics', oid, { kind: 'statistics', ...row, table, comment: findComment(reading, 'statistics', oid) });
  });
}

export async function readTextSearch(reading: Reading): Promise<readonly (DictionaryObject | ConfigurationObject)[]> {
  const dictionaries = await readRows<Row<DictionaryObject> & { template_schema: string }>(
    reading.client,
    `SELECT d.oid, n.nspname AS schema, d.dictname AS name, tn.nspname AS template_schema, t.tmplname AS template, d.dictinitoption AS options
     FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace JOIN pg_ts_template t ON t.oid = d.dicttemplate
       JOIN pg_namespace tn ON tn.oid = t.tmplnamespace
     WHERE ${toUserSchema('n')} AND ${toUserObject('dictionary', 'd.oid')}`,
  );
  const configurations = await readRows<Row<ConfigurationObject> & { parser_schema: string }>(
    reading.client,
    `SELECT c.oid, n.nspname AS schema, c.cfgname AS name, pn.nspname AS parser_schema, p.prsname AS parser,
       (SELECT coalesce(json_agg(json_build_object('token', m.alias, 'dictionaries', m.dictionaries) ORDER BY m.tokid), '[]') FROM (
         SELECT t.tokid, t.alias, json_agg(m.mapdict::regdictionary::text ORDER BY m.mapseqno) AS dictionaries
         FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) t ON t.tokid = m.maptokentype
         WHERE m.mapcfg = c.oid GROUP BY t.tokid, t.alias) m) AS mappings
     FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace JOIN pg_ts_parser p ON p.oid = c.cfgparser
       JOIN pg_namespace pn ON pn.oid = p.prsnamespace
     WHERE ${toUserSchema('n')} AND ${toUserObject('configuration', 'c.oid')}`,
  );
  return [
    ...dictionaries.map(({ oid, template_schema, ...row }) => {
      const template = quoteQualified({ schema: template_schema, name: row.template });
      const comment = findComment(reading, 'dictionary', oid);
      return register(reading, 'dictionary', oid, { kind: 'text search dictionary' as const, ...row, template, comment });
    }),
    ...configurations.map(({ oid, parser_schema, ...row }) => {
      const parser = quoteQualified({ schema: parser_schema, name: row.parser });
      const comment = findComment(reading, 'configuration', oid);
      return register(reading, 'configuration', oid, { kind: 'text search configuration' as const, ...row, parser, comment });
    }),
  ];
}

/** Extensions; each member of one stands for it in dependencies. A comment that the extension brings along is not the database's. */
export async function readExtensions(reading: Reading): Promise<readonly ExtensionObject[]> {
  const rows = await readRows<Row<ExtensionObject> & { usual: string | null; members: string[] }>(
    reading.client,
    `SELECT x.oid, n.nspname AS schema, x.extname AS name, x.extversion AS version,
       coalesce((SELECT v.trusted OR NOT v.superuser FROM pg_available_extension_versions v
         WHERE v.name = x.extname AND v.version = x.extversion), false) AS trusted,
       (SELECT a.comment FROM pg_available_extensions a WHERE a.name = x.extname) AS usual,
       (SELECT coalesce(array_agg(d.classid || '/' || d.objid), '{}') FROM pg_depend d
         WHERE d.refclassid = ${classOids.extension} AND d.refobjid = x.oid AND d.deptype = 'e') AS members
     FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.oid >= 16384`,
  );
  return rows.map(({ oid, usual, members, ...row }) => {
    const text = findComment(reading, 'extension', oid);
    const object: ExtensionObject = { kind: 'extension', ...row, comment: text === usual ? null : text };
    for (const member of members) reading.addresses.set(member, toObjectLabel(object));
    return register(reading, 'extension', oid, object);
  });
}
