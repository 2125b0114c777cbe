// The question to the gate: names, tags, transforms, digests and numbers. Of what people wrote in sentences only the length goes along.
import { digestJson } from '../../kernel/digest.js';
import type { Json } from '../../kernel/canonical-json.js';
import { redactRecall } from '../best-effort.js';
import { type Catalogue, type DataType, toTableLabel } from '../catalogue.js';
import type { GateInput } from '../decision.js';
import type { Reasoned } from '../definition.js';
import { type ColumnPlan, type Plan, type RulePlan, toPlanDigest } from '../plan.js';
import type { TargetFacts } from '../ports.js';
import { toDistinctRatio } from './distinct-ratio.js';
import { findPersonTables } from './person-tables.js';

const dayMs = 86_400_000;

export interface KnownSource {
  readonly systemIdentifier: string;
  /** Host and port as the connection knows them, for example `db.shop.example:5432`. */
  readonly address: string;
  readonly database: string;
}

/** What the plan cannot know: the world at the moment of the question. */
export interface GateFacts {
  /** The catalogue that the plan was made from, for types, statistics and references. */
  readonly catalogue: Catalogue;
  /** The plan's source as seen from here. `writable`: its role can write to a table in scope, owns one, or is superuser. */
  readonly source: { readonly address: string; readonly writable: boolean };
  /** Every other source that this installation knows; the plan's own is added. */
  readonly knownSources: readonly KnownSource[];
  readonly target: TargetFacts;
  /** The version that the key provider has at hand for this plan. */
  readonly key: { readonly version: number | null; readonly expiresAtMs: number | null };
  /** The token key, where the plan has something reversible. */
  readonly tokenKey?: GateFacts['key'];
  /** The domains that the target names, each with all parameters of its form. */
  readonly tokenDomains?: readonly TokenDomainFacts[];
  readonly nowMs: number;
  /** How a path may be shown: keys that may be data are `*`. */
  readonly showPath: (path: string) => string;
}

export interface TokenDomainFacts {
  readonly domain: string;
  readonly params: Readonly<Record<string, Json>>;
  /** Whether a run from here can make its tokens: no key makes those that are kept. */
  readonly reachable: boolean;
}

export function toGateInput(plan: Plan, facts: GateFacts): GateInput {
  const { facts: stated, source } = plan;
  return {
    version: 1,
    today: Math.floor(facts.nowMs / dayMs),
    nowMs: facts.nowMs,
    workspace: plan.workspace,
    pipeline: plan.pipeline,
    environment: plan.environment,
    planDigest: toPlanDigest(plan),
    catalogueDigest: plan.catalogueDigest,
    keyVersion: plan.keyVersion,
    key: { version: facts.key.version, expiresAtMs: facts.key.expiresAtMs, ...toKeyFacts(plan) },
    tokenKeyVersion: plan.tokenKeyVersion ?? null,
    tokenKey: { version: facts.tokenKey?.version ?? null, expiresAtMs: facts.tokenKey?.expiresAtMs ?? null },
    stated: {
      purposeLength: lengthOf(stated.purpose),
      ownerLength: lengthOf(stated.owner),
      legalBasisLength: lengthOf(stated.legalBasis),
      subjectCategories: stated.subjectCategories.filter((category) => lengthOf(category) > 0).length,
      retentionDays: stated.retentionDays,
    },
    source: {
      systemIdentifier: source.systemIdentifier,
      database: source.database,
      region: stated.source.region ?? null,
      writable: facts.source.writable,
      writableException: toException(stated.source.writable),
    },
    target: toTarget(plan, facts),
    knownSources: [
      { systemIdentifier: source.systemIdentifier, address: facts.source.address, database: source.database },
      ...facts.knownSources.map(({ systemIdentifier, address, database }) => ({ systemIdentifier, address, database })),
    ],
    columns: toColumns(plan, facts),
    // Of a version that is there and to be used once more: what `permitAgain` knows of it.
    again: null,
    schemaTexts: (stated.schemaTexts ?? []).map((text) => ({ action: text.action, ...toExceptionMembers(text) })),
  };
}

/** Whose keys, and what a document says of the version: `previousDay` is the last one. */
function toKeyFacts({ environment, keyEnvironment = environment, facts: { target } }: Plan): Readonly<Record<string, Json>> {
  const { join, previous } = target.keys ?? {};
  return {
    environment: keyEnvironment,
    joinReasonLength: join ? lengthOf(join.reason) : null,
    previousVersion: previous?.version ?? null,
    previousDay: toDay(previous?.until),
  };
}

function toTarget({ facts: { target } }: Plan, { target: seen, tokenDomains = [] }: Pick<GateFacts, 'target' | 'tokenDomains'>): Json {
  return {
    environment: target.environment,
    class: target.class,
    region: target.region ?? null,
    safeguardLength: lengthOf(target.safeguard),
    allows: target.allows,
    tokens: tokenDomains.map(({ domain, params, reachable }) => ({
      ...{ domain, reachable },
      paramsDigest: digestJson(params),
      vaulted: target.tokens?.[domain]?.vaulted === true,
      sources: target.tokens?.[domain]?.sources ?? [],
      ...toExceptionMembers(target.tokens?.[domain] ?? {}),
    })),
    systemIdentifier: seen.systemIdentifier,
    address: seen.address,
    database: seen.database,
    sameServerException: toException(target.sameServer),
  };
}

function toColumns(plan: Plan, { catalogue, showPath }: GateFacts): Json[] {
  const persons = findPersonTables(plan, catalogue);
  const tables = new Map(catalogue.tables.map((table) => [toTableLabel(table), table]));
  return plan.tables.flatMap((table) =>
    table.columns.flatMap((column) => {
      const label = toTableLabel(table);
      const whole = {
        table: label,
        column: column.name,
        type: toTypeName(column.type),
        speaksOfPerson: persons.has(label),
        distinctRatio: toDistinctRatio(tables, table, column),
        ...toExceptionMembers(column),
      };
      const { paths } = column.rule;
      return [
        { ...whole, ...toRule(column.rule), path: null, tag: column.tag, unique: column.unique, component: column.component ?? null },
        ...Object.keys(paths ?? {}).map((path) => toPath(whole, path, column, showPath(path))),
      ];
    }),
  );
}

function toPath(whole: Readonly<Record<string, Json>>, path: string, column: ColumnPlan, shown: string): Json {
  const rule = column.rule.paths?.[path] as RulePlan & { readonly tag: string } & Partial<Reasoned>;
  // A reason of the path's own counts before that of the column.
  const exception = rule.reason === undefined ? {} : toExceptionMembers(rule);
  return {
    ...whole,
    ...exception,
    ...toRule(rule),
    path: shown,
    tag: rule.tag,
    unique: false,
    component: null,
    distinctRatio: null,
  };
}

function toRule(rule: RulePlan): Readonly<Record<string, Json>> {
  return {
    // Where paths decide, the transform of the whole says nothing; mask refuses an unlisted path unless the rule says otherwise.
    transform: rule.paths === undefined ? rule.transform : 'paths',
    reversible: rule.reversible === true,
    // Of tokens: which alphabet. A word of a closed list.
    form: rule.reversible === true && typeof rule.params['form'] === 'string' ? rule.params['form'] : null,
    // What a transform that is best effort finds, of a hundred.
    recallPercent: rule.transform === 'redact' ? redactRecall.percent : null,
    // Parameters may hold words that stand for persons; equality is all that the gate needs.
    paramsDigest: digestJson(rule.params),
    scope: rule.scope,
    domain: rule.domain,
    uniqueness: rule.uniqueness,
    reveals: rule.reveals,
    rest: rule.rest ?? (rule.paths === undefined ? null : 'refuse'),
  };
}

function toTypeName(type: DataType): string {
  if (type.kind === 'array') return 'array';
  return type.kind === 'enum' || type.labels !== undefined ? 'enum' : type.base;
}

function toException(exception: Reasoned | undefined): Json {
  return exception === undefined ? null : toExceptionMembers(exception);
}

function toExceptionMembers(exception: {
  readonly reason?: string;
  readonly expires?: string;
}): Record<'reasonLength' | 'expiresDay', Json> {
  return { reasonLength: lengthOf(exception.reason), expiresDay: toDay(exception.expires) };
}

/** Days since 1970 of a date `YYYY-MM-DD`; what is no date counts as long over, never as no date. */
function toDay(date: string | undefined): number | null {
  if (date === undefined) return null;
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : NaN;
  // Date.parse takes 31 April for 1 May.
  const real = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
  return real ? ms / dayMs : -1;
}

function lengthOf(text: string | undefined): number {
  return text === undefined ? 0 : text.trim().length;
}
