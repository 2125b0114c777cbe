// The door: a catalogue becomes the statements that make its schema anew, as a plain role that owns an empty database.
import { type BautaError, type Finding, sortFindings, toError, toFinding } from '../../../kernel/errors.js';
import { type Catalogue, type PolicyObject, type ViewObject, toLabel, toObjectLabel } from '../../../pipeline/catalogue.js';
import { quoteLiteral, quoteName } from '../quote.js';
import { toView, toViewShell } from './create-object.js';
import { toFamilies, toTableKey, toTableSteps } from './create-table.js';
import { toObjectSteps } from './object-steps.js';
import { Graph, toEarly, toPhases, withoutDropped } from './order.js';
import type { Statement, Step } from './step.js';
import { toPieceSteps } from './table-pieces.js';

export { toDefaultGrantStatements, toGrantStatements } from './grants.js';
export type { Statement } from './step.js';

export interface SchemaStatements {
  /** One after the other, before the data. */
  readonly preData: readonly Statement[];
  /** Phases after the data; the statements of one phase may run at the same time on several connections. */
  readonly postData: readonly (readonly Statement[])[];
}

export interface SchemaOptions {
  /** Labels of what the plan drops, as schemaTexts and findings show them: `function public.total`, `comment on table public.t`. */
  readonly drop?: readonly string[];
  /**
   * The target's role for a role that a policy names; without an answer the schema is refused. `current user`: whoever runs the statements, for
   * all of them.
   */
  readonly role?: ((name: string) => string | undefined) | 'current user';
}

/** Settings of every session that runs the statements. Bodies in SQL and PL/pgSQL are not looked into before what they name is there. */
export const schemaSession: Readonly<Record<string, string>> = {
  check_function_bodies: 'off',
  search_path: '',
  row_security: 'off',
  client_min_messages: 'warning',
};

/** MUST be called before anything runs: throws an InputError whose findings are everything that stands in the way. */
export function toSchemaStatements(catalogue: Catalogue, options: SchemaOptions = {}): SchemaStatements {
  const findings: Finding[] = [];
  const dropped = withoutDropped(toSteps(catalogue, options, findings), options.drop ?? []);
  findings.push(...dropped.findings);
  const graph = findings.length > 0 ? undefined : toGraph(addRefreshOrder(dropped.steps), catalogue, findings);
  if (!graph) throw toRefusal(findings);
  const early = toEarly(graph);
  const preData = early.flatMap((label) => (graph.get(label)?.sql ?? []).map((sql) => ({ sql, object: label })));
  return { preData, postData: toPhases(graph, new Set(early)) };
}

function toRefusal(findings: readonly Finding[]): BautaError {
  const sorted = sortFindings(findings);
  const [first] = sorted;
  return first ? toError(first.code, first.where, sorted) : toError('SCHEMA_CYCLE', {});
}

function toSteps(catalogue: Catalogue, options: SchemaOptions, findings: Finding[]): Step[] {
  const families = toFamilies(catalogue);
  const needs = catalogue.dependencies ?? {};
  const views = new Map(
    catalogue.objects.flatMap((object): [string, string][] =>
      object.kind === 'view' || object.kind === 'materialized view' ? [[toLabel(object.schema, object.name), toObjectLabel(object)]] : [],
    ),
  );
  const relation = (name: { schema: string; name: string }): string => views.get(toLabel(name.schema, name.name)) ?? toTableKey(name);
  const drop = new Set(options.drop ?? []);
  const roles = (policy: PolicyObject): string => toRoles(policy, options, drop, findings);
  return [
    ...catalogue.schemas.flatMap(toSchemaSteps),
    ...catalogue.objects.flatMap((object) => toObjectSteps(object, { families, needs, relation, roles })),
    // The largest first: in a phase they take longest.
    ...catalogue.tables
      .toSorted((a, b) => b.bytes - a.bytes)
      .flatMap((table) => [...toTableSteps(table, families, needs), ...toPieceSteps(table, families, needs)]),
  ];
}

function toRoles(policy: PolicyObject, options: SchemaOptions, drop: ReadonlySet<string>, findings: Finding[]): string {
  const label = toObjectLabel(policy);
  const { role: toRole } = options;
  if (toRole === 'current user') return policy.roles.length === 0 ? 'PUBLIC' : 'CURRENT_USER';
  const mapped = policy.roles.map((name) => {
    const role = toRole?.(name);
    if (role === undefined && !drop.has(label)) findings.push(toFinding('SCHEMA_ROLE_UNMAPPED', { object: label, name }));
    return quoteName(role ?? name);
  });
  return mapped.length === 0 ? 'PUBLIC' : [...new Set(mapped)].join(', ');
}

/** `public` is there in a new database, with a comment that everybody knows. */
function toSchemaSteps(schema: Catalogue['schemas'][number]): Step[] {
  const label = `schema ${toLabel(schema.name)}`;
  const usual = schema.name === 'public' ? 'standard public schema' : null;
  const made = schema.name === 'public' ? `CREATE SCHEMA IF NOT EXISTS ${quoteName('public')}` : `CREATE SCHEMA ${quoteName(schema.name)}`;
  const owned = `ALTER SCHEMA ${quoteName(schema.name)} OWNER TO CURRENT_USER`;
  const sql = `COMMENT ON SCHEMA ${quoteName(schema.name)} IS ${schema.comment === null ? 'NULL' : quoteLiteral(schema.comment)}`;
  return [
    { label, rank: 'early', required: true, sql: schema.ownedByRole ? [made, owned] : [made], needs: [] },
    ...(schema.comment === usual ? [] : [{ label: `comment on ${label}`, rank: 'comments' as const, sql: [sql], needs: [label] }]),
  ];
}

/** A materialized view that reads another, through views and functions or at once, is refreshed after it. */
function addRefreshOrder(steps: readonly Step[]): readonly Step[] {
  const graph = new Graph(steps);
  return steps.map((step) => {
    if (step.rank !== 'refresh') return step;
    const before = graph
      .closure([step.label])
      .map((label) => `refresh of ${label}`)
      .filter((label) => label !== step.label && graph.get(label));
    return { ...step, needs: [...step.needs, ...before] };
  });
}

/** Cycles through a view are opened: an empty view with its columns comes first, and its query when everything it names is there. */
function toGraph(given: readonly Step[], catalogue: Catalogue, findings: Finding[]): Graph | undefined {
  const views = new Map(
    catalogue.objects.flatMap((object): [string, ViewObject][] => (object.kind === 'view' ? [[toObjectLabel(object), object]] : [])),
  );
  let steps = given;
  for (;;) {
    const graph = new Graph(steps);
    const cycle = graph.findCycle();
    if (!cycle) return graph;
    const label = cycle.find((member) => views.has(member) && !graph.get(`shape of ${member}`));
    const view = label === undefined ? undefined : views.get(label);
    if (label === undefined || !view) {
      findings.push(toFinding('SCHEMA_CYCLE', { object: cycle[0], name: cycle[1] ?? cycle[0] }));
      return undefined;
    }
    steps = openCycle(steps, cycle, label, view);
  }
}

function openCycle(steps: readonly Step[], cycle: readonly string[], label: string, view: ViewObject): readonly Step[] {
  const shape = `shape of ${label}`;
  const types = (steps.find((step) => step.label === label)?.needs ?? []).filter((need) =>
    /^(schema|extension|enum|domain|composite|range) /.test(need),
  );
  const opened = steps.map((step): Step => {
    if (step.label === label) return { ...step, sql: [toView(view, true), ...step.sql.slice(1)], needs: [...step.needs, shape] };
    return cycle.includes(step.label) ? { ...step, needs: step.needs.map((need) => (need === label ? shape : need)) } : step;
  });
  return [...opened, { label: shape, rank: 'early', sql: [toViewShell(view)], needs: types }];
}
