// Everything that is decided before a row moves: what is there, what each column is, the plan, the gate's answer. For plan and run alike.
import type { Clock } from '../kernel/clock.js';
import { type BautaError, type Finding, sortFindings, toError, toFinding } from '../kernel/errors.js';
import { messages } from '../kernel/messages.js';
import { toSqlName } from '../kernel/sql-name.js';
import { type BindInput, type Bound, type Counts, type Registry, bindPlan, toCountKey } from './bind.js';
import type { Catalogue } from './catalogue.js';
import { checkKey, chooseKey } from './choose-key.js';
import type { Decision, GateInput } from './decision.js';
import { type KnownSource, decide, toGateInput } from './gate/gate.js';
import { findRuleProblems, toTypeFamily, transforms } from './mask/mask.js';
import { redactRecallText } from './best-effort.js';
import { type Plan, isVaulted, toPlanDigest, toVaultedDomains } from './plan.js';
import { toShownFinding, toShownPath } from './shown-path.js';
import type { CountedColumn, KeyProvider, Policy, Source, SourceScope, Target, TargetFacts } from './ports.js';
import type { KeyRecord, RecordedKeys } from './recorded-keys.js';
import { toTokenFacts, withTokenKey } from './token-key.js';
import { tryConditions } from './try-conditions.js';
import { type SourceFacts, inspectSource } from './source/source.js';

export interface PrepareDoors {
  readonly source: Source;
  readonly target: Target;
  readonly policy: Policy;
  readonly keys: KeyProvider;
  /** Of the hierarchy `token`: for what can be exchanged back, and asked for nothing else. */
  readonly tokenKeys: KeyProvider;
  /** Whether a run can look up tokens that are kept here; absent: it cannot. */
  readonly vaulted?: boolean;
  readonly clock: Clock;
  /** Keeps the record of a decision; nothing goes on before it is kept. */
  readonly recordDecision?: (decision: Decision, input: GateInput, at: { readonly atMs: number; readonly tookNs: number }) => Promise<void>;
}

export interface Request extends Pick<BindInput, 'pipeline' | 'classification' | 'rulebook' | 'lock' | 'documents'> {
  readonly fitsSchema: Registry['fitsSchema'];
  /** Other sources that this installation knows. */
  readonly knownSources: readonly KnownSource[];
  /** What the log knows of the run's key hierarchy. */
  readonly recordedKeys: RecordedKeys;
  /** The same of its hierarchy `token`. */
  readonly recordedTokenKeys: RecordedKeys;
  /** Personal data in the texts of the schema, by the detector. */
  readonly scanSchema: (catalogue: Catalogue) => readonly Finding[];
}

export interface Prepared {
  readonly catalogue: Catalogue;
  readonly sourceFacts: SourceFacts;
  /** The source as the gate of a later run has to know it. */
  readonly seenSource: KnownSource;
  /** The key version and its check value: what the log records of a key. */
  readonly key: KeyRecord;
  /** Likewise of the token key; absent: the plan has nothing reversible. */
  readonly tokenKey?: KeyRecord;
  /** All of them, sorted. With one of severity `error` nothing may run. */
  readonly findings: readonly Finding[];
  /** Absent when documents and catalogue do not fit together. */
  readonly plan?: Plan;
  readonly planDigest?: string;
  readonly targetFacts?: TargetFacts;
  /** Absent when there is no plan to decide on, or findings already stop it. */
  readonly decision?: Decision;
  /** What was asked, with the decision. */
  readonly question?: GateInput;
}

export function toScope({ pipeline }: Pick<Request, 'pipeline'>): SourceScope {
  return { include: pipeline.body.include ?? [], exclude: pipeline.body.exclude ?? [] };
}

/** Looks at source and target, binds, asks the gate. Returns every finding; throws only if it could not look. */
export async function prepare(doors: PrepareDoors, request: Request): Promise<Prepared> {
  const seen = await inspectSource(doors.source, toScope(request));
  const { previous } = request.pipeline.body.target.keys ?? {};
  const { key, findings: ofKey } = await chooseKey(doors.keys, previous, request.recordedKeys, doors.clock.now());
  // What cannot be read cannot be counted either, and that it cannot be read is said already.
  const readable = !seen.findings.some(({ severity }) => severity === 'error');
  const bound = await bind(readable ? doors.source : undefined, {
    ...request,
    catalogue: seen.catalogue,
    catalogueDigest: seen.digest,
    keyVersion: key.version,
    workspace: doors.keys.hierarchy.workspace,
  });
  const findings = [...seen.findings, ...bound.findings, ...request.scanSchema(seen.catalogue), ...ofKey];
  const { systemIdentifier, database } = seen.facts;
  const seenSource: KnownSource = { systemIdentifier, address: seen.address, database };
  const base = { catalogue: seen.catalogue, sourceFacts: seen.facts, seenSource, key };
  if (bound.plan === undefined) return { ...base, findings: sortFindings(findings.map(toShownFinding)) };
  const { plan, ...token } = await withTokenKey(bound.plan, doors.tokenKeys);
  findings.push(...findRules(plan), ...(token.tokenKey ? checkKey(token.tokenKey, token.tokenKey.version, request.recordedTokenKeys) : []));
  const [conditions, target] = await Promise.all([
    readable ? tryConditions(doors.source, plan, seen.catalogue) : [],
    doors.target.inspect(plan, seen.catalogue),
  ]);
  findings.push(...conditions, ...target.findings);
  const planned = {
    ...base,
    ...token,
    findings: sortFindings(findings.map(toShownFinding)),
    plan,
    planDigest: toPlanDigest(plan),
    targetFacts: target.facts,
  };
  const question = toGateInput(plan, {
    catalogue: seen.catalogue,
    source: { address: seen.address, writable: seen.findings.some(({ code }) => writableCodes.has(code)) },
    knownSources: request.knownSources,
    target: target.facts,
    key: { version: key.version, expiresAtMs: await doors.keys.expiresAt(key.version) },
    ...(await toTokenFacts(plan, doors)),
    nowMs: doors.clock.now(),
    showPath: toShownPath,
  });
  const atMs = doors.clock.now();
  const decision = await decide(doors.policy, question);
  await doors.recordDecision?.(decision, question, { atMs, tookNs: (doors.clock.now() - atMs) * 1_000_000 });
  if (!decision.allow || findings.some(({ severity }) => severity === 'error')) return { ...planned, decision, question };
  const frequent = await bound.countPaths();
  return frequent.length === 0
    ? { ...planned, decision, question }
    : { ...base, findings: sortFindings([...findings, ...frequent].map(toShownFinding)) };
}

/** Rules that cannot work on their columns, and those that are best effort. */
function findRules(plan: Plan): readonly Finding[] {
  const vaulted = toVaultedDomains(plan.facts.target);
  return plan.tables.flatMap(({ schema, name: table, columns }) =>
    columns.flatMap(({ name: column, type, rule }) => {
      const where = { stage: 'mask', schema, table, column };
      const efforts = Object.entries({ '': rule, ...rule.paths }).filter(([, { transform }]) => transform === 'redact');
      const told = efforts.map(([path]) => ({ ...where, ...(path === '' ? {} : { path }), amount: redactRecallText }));
      const inside = Object.entries({ ...(type.kind === 'array' && { '[]': rule }), ...rule.paths }).flatMap(([path, leaf]) =>
        isVaulted(leaf, vaulted) ? [toFinding('MASK_VAULTED_INSIDE', { ...where, path, name: leaf.domain })] : [],
      );
      return [...findRuleProblems(type, rule, where), ...inside, ...told.map((at) => toFinding('PLAN_BEST_EFFORT', at, 'warning'))];
    }),
  );
}

/** Why nothing may run. Where only time can help (a busy target, a full server) the error is that, so that a caller may try again. */
export function toRefusal(findings: readonly Finding[]): BautaError {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first && errors.every(({ code }) => messages[code].class === 'UnavailableError')) return toError(first.code, first.where, findings);
  return toError('PLAN_REFUSED', { amount: String(errors.length) }, findings);
}

const writableCodes: ReadonlySet<string> = new Set(['SOURCE_ROLE_CAN_WRITE', 'SOURCE_ROLE_IS_SUPERUSER']);

interface Counting extends Bound {
  /** What frequencies inside values say. Rows are read for it, as no statistics tell: only for a plan that nothing else stops. */
  readonly countPaths: () => Promise<readonly Finding[]>;
}

/** Binds, and where statistics are missing, or a reference is cut, counts at the source and binds again. */
async function bind(source: Source | undefined, input: Omit<BindInput, 'registry'> & Pick<Request, 'fitsSchema'>): Promise<Counting> {
  const registry: Registry = { transforms, familyOf: toTypeFamily, fitsSchema: input.fitsSchema };
  const first = bindPlan({ ...input, registry });
  const countPaths = (): Promise<readonly Finding[]> => Promise.resolve([]);
  if (!source) return { ...first, findings: first.findings.filter(({ code }) => code !== 'PLAN_COUNT_MISSING'), countPaths };
  const columns = first.wanted.flatMap((request) => (request.kind === 'column' && request.path === undefined ? [request] : []));
  const paths = first.wanted.flatMap((request) => (request.kind === 'column' && request.path !== undefined ? [request] : []));
  const cut = first.wanted.flatMap((request) => (request.kind === 'reference' ? [request] : []));
  const broken = cut.length === 0 ? [] : await source.countCut(cut);
  const references = new Map(cut.map(({ schema, name, constraint }, i) => [toSqlName(schema, name, constraint), broken[i] ?? 0]));
  const counts = { columns: await countAll(source, columns), references };
  return {
    ...(columns.length + cut.length === 0 ? first : bindPlan({ ...input, registry, counts })),
    countPaths: async () => {
      if (paths.length === 0) return [];
      const ofPaths = { columns: new Map([...counts.columns, ...(await countAll(source, paths))]), references };
      const { findings } = bindPlan({ ...input, registry, counts: ofPaths });
      return findings.filter(({ code, where }) => code === 'PLAN_FREQUENCIES_SURVIVE' && where.path !== undefined);
    },
  };
}

async function countAll(source: Source, requests: readonly CountedColumn[]): Promise<NonNullable<Counts['columns']>> {
  const counted = requests.length === 0 ? [] : await source.count(requests);
  return new Map(requests.map((request, i) => [toCountKey(request), counted[i] ?? { rows: 0, distinct: 0 }]));
}
