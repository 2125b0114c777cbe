// Functions, procedures, aggregates, operators and casts. What has no pg_get_*def is put together from the catalogue's own deparsed names.
import type { AggregateObject, CastObject, OperatorObject, RoutineObject } from '../../../pipeline/catalogue.js';
import { toObjectLabel } from '../../../pipeline/catalogue.js';
import { quoteLiteral, quoteQualified } from '../quote.js';
import { type Reading, findComment, readRows, toAddress, toUserObject, toUserSchema } from './reading.js';

export interface Refusal {
  readonly label: string;
  readonly name: string;
  readonly severity: 'error' | 'warning';
}

interface RoutineRow {
  oid: number;
  schema: string;
  name: string;
  kind: 'f' | 'p' | 'w';
  language: string;
  arguments: string;
  signature: string;
  definition: string;
  body: string;
  leakproof: boolean;
  supported: boolean;
  settings: string[];
}

export async function readRoutines(reading: Reading): Promise<{ objects: readonly RoutineObject[]; refused: readonly Refusal[] }> {
  const rows = await readRows<RoutineRow>(
    reading.client,
    // pg_settings does not show role and session_authorization.
    `SELECT p.oid, n.nspname AS schema, p.proname AS name, p.prokind AS kind, l.lanname AS language,
       pg_get_function_identity_arguments(p.oid) AS arguments, oidvectortypes(p.proargtypes) AS signature,
       pg_get_functiondef(p.oid) AS definition, coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) AS body,
       p.proleakproof AS leakproof, p.prosupport::oid <> 0 AS supported,
       (SELECT coalesce(array_agg(lower(split_part(c.entry, '=', 1))), '{}') FROM unnest(p.proconfig) AS c(entry)
         LEFT JOIN pg_settings s ON s.name = lower(split_part(c.entry, '=', 1))
         WHERE s.context IN ('superuser', 'superuser-backend') OR c.entry ~* '^(role|session_authorization)=') AS settings
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
     WHERE p.prokind IN ('f', 'p', 'w') AND ${toUserSchema('n')} AND ${toUserObject('function', 'p.oid')}`,
  );
  const refused: Refusal[] = [];
  const objects = rows.map((row): RoutineObject => {
    const object: RoutineObject = {
      kind: row.kind === 'p' ? 'procedure' : 'function',
      schema: row.schema,
      name: row.name,
      comment: findComment(reading, 'function', row.oid),
      arguments: row.arguments,
      signature: row.signature,
      language: row.language,
      definition: row.definition.trim(),
      body: row.body,
    };
    const label = toObjectLabel(object);
    reading.addresses.set(toAddress('function', row.oid), label);
    const refuse = (name: string): void => void refused.push({ label, name, severity: 'error' });
    if (row.language !== 'sql' && row.language !== 'plpgsql') refuse(`language ${row.language}`);
    if (row.leakproof) refuse('LEAKPROOF');
    if (row.supported) refuse('SUPPORT function');
    for (const setting of row.settings) refuse(`SET ${setting}`);
    return object;
  });
  return { objects, refused };
}

type AggregateRow = Record<
  | 'schema'
  | 'name'
  | 'arguments'
  | 'signature'
  | 'kind'
  | 'sfunc'
  | 'stype'
  | 'sspace'
  | 'finalfunc'
  | 'finalmodify'
  | 'combinefunc'
  | 'serialfunc'
  | 'deserialfunc'
  | 'msfunc'
  | 'minvfunc'
  | 'mstype'
  | 'msspace'
  | 'mfinalfunc'
  | 'mfinalmodify'
  | 'parallel',
  string
> & {
  oid: number;
  initcond: string | null;
  minitcond: string | null;
  finalextra: boolean;
  mfinalextra: boolean;
  sort_schema: string | null;
  sort_name: string | null;
};

export async function readAggregates(reading: Reading): Promise<readonly AggregateObject[]> {
  const rows = await readRows<AggregateRow>(
    reading.client,
    `SELECT p.oid, n.nspname AS schema, p.proname AS name, pg_get_function_arguments(p.oid) AS arguments,
       oidvectortypes(p.proargtypes) AS signature, a.aggkind AS kind, a.aggtransfn::text AS sfunc, format_type(a.aggtranstype, NULL) AS stype,
       a.aggtransspace::text AS sspace, a.aggfinalfn::text AS finalfunc, a.aggfinalmodify AS finalmodify, a.aggfinalextra AS finalextra,
       a.aggcombinefn::text AS combinefunc, a.aggserialfn::text AS serialfunc, a.aggdeserialfn::text AS deserialfunc,
       a.agginitval AS initcond, a.aggmtransfn::text AS msfunc, a.aggminvtransfn::text AS minvfunc,
       format_type(nullif(a.aggmtranstype, 0), NULL) AS mstype, a.aggmtransspace::text AS msspace, a.aggmfinalfn::text AS mfinalfunc,
       a.aggmfinalmodify AS mfinalmodify, a.aggmfinalextra AS mfinalextra, a.aggminitval AS minitcond,
       son.nspname AS sort_schema, so.oprname AS sort_name, p.proparallel AS parallel
     FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid JOIN pg_namespace n ON n.oid = p.pronamespace
       LEFT JOIN pg_operator so ON so.oid = a.aggsortop LEFT JOIN pg_namespace son ON son.oid = so.oprnamespace
     WHERE ${toUserSchema('n')} AND ${toUserObject('function', 'p.oid')}`,
  );
  return rows.map((row) => {
    const { schema, name, signature } = row;
    const args = row.arguments === '' ? '*' : row.arguments;
    const comment = findComment(reading, 'function', row.oid);
    const object: AggregateObject = {
      kind: 'aggregate',
      schema,
      name,
      comment,
      arguments: args,
      signature,
      clauses: toAggregateClauses(row),
    };
    reading.addresses.set(toAddress('function', row.oid), toObjectLabel(object));
    return object;
  });
}

function toAggregateClauses(row: AggregateRow): [string, string][] {
  const clauses: [string, string][] = [
    ['SFUNC', row.sfunc],
    ['STYPE', row.stype],
  ];
  // Zero, `-` (no function) and the default of the final function's modification are left out, as pg_dump does.
  const add = (name: string, text: string, nothing: string): void => void (text !== nothing && clauses.push([name, text]));
  const modifies: Readonly<Record<string, string>> = { r: 'READ_ONLY', s: 'SHAREABLE', w: 'READ_WRITE' };
  const usual = row.kind === 'n' ? 'READ_ONLY' : 'READ_WRITE';
  add('SSPACE', row.sspace, '0');
  add('FINALFUNC', row.finalfunc, '-');
  if (row.finalextra) clauses.push(['FINALFUNC_EXTRA', '']);
  if (row.finalfunc !== '-') add('FINALFUNC_MODIFY', modifies[row.finalmodify] ?? usual, usual);
  add('COMBINEFUNC', row.combinefunc, '-');
  add('SERIALFUNC', row.serialfunc, '-');
  add('DESERIALFUNC', row.deserialfunc, '-');
  if (row.initcond !== null) clauses.push(['INITCOND', quoteLiteral(row.initcond)]);
  if (row.msfunc !== '-') {
    clauses.push(['MSFUNC', row.msfunc], ['MINVFUNC', row.minvfunc], ['MSTYPE', row.mstype]);
    add('MSSPACE', row.msspace, '0');
    add('MFINALFUNC', row.mfinalfunc, '-');
    if (row.mfinalextra) clauses.push(['MFINALFUNC_EXTRA', '']);
    if (row.mfinalfunc !== '-') add('MFINALFUNC_MODIFY', modifies[row.mfinalmodify] ?? usual, usual);
    if (row.minitcond !== null) clauses.push(['MINITCOND', quoteLiteral(row.minitcond)]);
  }
  if (row.sort_schema !== null) clauses.push(['SORTOP', toOperatorText(row.sort_schema, row.sort_name ?? '')]);
  if (row.parallel === 's') clauses.push(['PARALLEL', 'SAFE']);
  if (row.parallel === 'r') clauses.push(['PARALLEL', 'RESTRICTED']);
  if (row.kind === 'h') clauses.push(['HYPOTHETICAL', '']);
  return clauses;
}

/** OPERATOR(schema.op); an operator's name is made of symbols and is never quoted. */
function toOperatorText(schema: string, name: string): string {
  return `OPERATOR(${quoteQualified({ schema, name: '' }).slice(0, -2)}${name})`;
}

interface OperatorRow {
  oid: number;
  schema: string;
  name: string;
  left: string | null;
  right: string;
  procedure: string;
  commutator: [string, string] | null;
  negator: [string, string] | null;
  restrict: string;
  join: string;
  merges: boolean;
  hashes: boolean;
}

export async function readOperators(reading: Reading): Promise<readonly OperatorObject[]> {
  const rows = await readRows<OperatorRow>(
    reading.client,
    `SELECT o.oid, n.nspname AS schema, o.oprname AS name, format_type(nullif(o.oprleft, 0), NULL) AS left,
       format_type(o.oprright, NULL) AS right, o.oprcode::text AS procedure, o.oprrest::text AS restrict, o.oprjoin::text AS join,
       (SELECT json_build_array(cn.nspname, c.oprname) FROM pg_operator c JOIN pg_namespace cn ON cn.oid = c.oprnamespace
         WHERE c.oid = o.oprcom) AS commutator,
       (SELECT json_build_array(cn.nspname, c.oprname) FROM pg_operator c JOIN pg_namespace cn ON cn.oid = c.oprnamespace
         WHERE c.oid = o.oprnegate) AS negator,
       o.oprcanmerge AS merges, o.oprcanhash AS hashes
     FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
     WHERE o.oprcode::oid <> 0 AND ${toUserSchema('n')} AND ${toUserObject('operator', 'o.oid')}`,
  );
  return rows.map((row) => {
    const clauses: [string, string][] = [['FUNCTION', row.procedure]];
    if (row.left !== null) clauses.push(['LEFTARG', row.left]);
    clauses.push(['RIGHTARG', row.right]);
    if (row.commutator) clauses.push(['COMMUTATOR', toOperatorText(...row.commutator)]);
    if (row.negator) clauses.push(['NEGATOR', toOperatorText(...row.negator)]);
    if (row.restrict !== '-') clauses.push(['RESTRICT', row.restrict]);
    if (row.join !== '-') clauses.push(['JOIN', row.join]);
    if (row.hashes) clauses.push(['HASHES', '']);
    if (row.merges) clauses.push(['MERGES', '']);
    const { schema, name, left, right } = row;
    const object: OperatorObject = {
      kind: 'operator',
      schema,
      name,
      comment: findComment(reading, 'operator', row.oid),
      left,
      right,
      clauses,
    };
    reading.addresses.set(toAddress('operator', row.oid), toObjectLabel(object));
    return object;
  });
}

export async function readCasts(reading: Reading): Promise<{ objects: readonly CastObject[]; refused: readonly Refusal[] }> {
  const rows = await readRows<{
    oid: number;
    source: string;
    target: string;
    function: string | null;
    context: 'e' | 'a' | 'i';
    method: string;
  }>(
    reading.client,
    `SELECT c.oid, format_type(c.castsource, NULL) AS source, format_type(c.casttarget, NULL) AS target,
       nullif(c.castfunc, 0)::regprocedure::text AS function, c.castcontext AS context, c.castmethod AS method
     FROM pg_cast c WHERE ${toUserObject('cast', 'c.oid')}`,
  );
  const refused: Refusal[] = [];
  const objects = rows.map((row): CastObject => {
    const { source, target, context } = row;
    const name = `${source} AS ${target}`;
    const comment = findComment(reading, 'cast', row.oid);
    const object: CastObject = { kind: 'cast', schema: null, name, comment, source, target, function: row.function, context };
    reading.addresses.set(toAddress('cast', row.oid), toObjectLabel(object));
    if (row.method === 'b') refused.push({ label: toObjectLabel(object), name: 'WITHOUT FUNCTION', severity: 'error' });
    return object;
  });
  return { objects, refused };
}
