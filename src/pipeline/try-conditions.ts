// Asks the source, with made-up rows and their pseudonyms, whether the schema's conditions still hold when the plan has masked their columns.
// A few dozen rows are no proof; what they break is broken, and what they cannot tell is said, before a row is read.
import { type Finding, toFinding } from '../kernel/errors.js';
import type { Catalogue } from './catalogue.js';
import { isMasked } from './bind-column.js';
import { type Condition, findConditions } from './condition.js';
import { rehearse, type RehearsedRow, toTypeFamily, transforms } from './mask/mask.js';
import type { ColumnPlan, Plan, RulePlan } from './plan.js';
import type { Source, Trial } from './ports.js';

type Asks = Pick<Source, 'tryOut'>;

type Verdict = { readonly kind: 'held' } | { readonly kind: 'broken' | 'undecided'; readonly amount: string };

const rowCount = 120;
/** Made-up rows that meet the condition before they are masked: with fewer nothing is shown. */
const fewest = 8;

const whys: Readonly<Record<NonNullable<Condition['undecidable']>, string>> = {
  'own code': 'it calls code of the schema, which is not run for this',
  generated: 'it speaks of a column that is generated from a masked one',
  exclusion: 'it compares a masked column by more than equality',
};

export async function tryConditions(source: Asks, plan: Plan, catalogue: Catalogue): Promise<readonly Finding[]> {
  const conditions = findConditions(plan, catalogue);
  const verdicts = await judgeAll(source, plan, conditions);
  const findings: Finding[] = [];
  for (const [i, condition] of conditions.entries()) {
    const verdict = verdicts[i] ?? undecided('not asked');
    if (verdict.kind !== 'held') findings.push(await toRefusal(source, plan, condition, verdict));
  }
  return findings;
}

/** A reason at the column answers what the values decide; what breaks for every value would only fail later. */
async function toRefusal(
  source: Asks,
  plan: Plan,
  condition: Condition,
  { kind, amount }: Exclude<Verdict, { kind: 'held' }>,
): Promise<Finding> {
  const masked = condition.columns.filter(isMasked);
  const certain = kind === 'broken' && condition.columns.every(isBlind);
  const answered = !certain && masked.some(({ reason }) => reason !== undefined);
  const rule = [...new Set(masked.map((column) => (column.rule.paths ? 'paths' : column.rule.transform)))].join(', ');
  const where = { ...condition.where, rule, amount, expected: await findAlternatives(source, plan, condition) };
  return toFinding(kind === 'broken' ? 'PLAN_CONDITION_BROKEN' : 'PLAN_CONDITION_UNDECIDED', where, answered ? 'warning' : 'error');
}

async function judgeAll(source: Asks, plan: Plan, conditions: readonly Condition[]): Promise<readonly Verdict[]> {
  const rows = await Promise.all(conditions.map((condition) => makeRows(plan, condition, rowCount)));
  const trials = conditions.flatMap((condition, i) => [
    toTrial(condition, rows[i] ?? [], 'before'),
    toTrial(condition, rows[i] ?? [], 'after'),
  ]);
  const asked = trials.filter((trial) => trial.rows.length > 0);
  const answers = asked.length === 0 ? [] : await source.tryOut(asked);
  const answerOf = new Map(asked.map((trial, i) => [trial, answers[i]]));
  return conditions.map((condition, i): Verdict => {
    if (condition.undecidable) return undecided(whys[condition.undecidable]);
    const [before, after] = [trials[2 * i], trials[2 * i + 1]].map((trial) => trial && answerOf.get(trial));
    if (!before || !after) return undecided('values of its types cannot be made up');
    for (const answer of [before, after]) if ('sqlState' in answer) return undecided(`the source answers with SQLSTATE ${answer.sqlState}`);
    return 'holds' in before && 'holds' in after ? judge(condition, rows[i] ?? [], before.holds, after.holds) : undecided('not asked');
  });
}

function judge(condition: Condition, rows: readonly RehearsedRow[], before: readonly boolean[], after: readonly boolean[]): Verdict {
  const blind = condition.columns.every(isBlind);
  const usable = rows.flatMap((row, i) => (after[i] !== undefined && (blind || before[i] === true) ? [{ row, holds: after[i] }] : []));
  const broken = usable.filter(({ row, holds }) => !holds || isTooLong(condition, row)).length;
  if (broken > 0) return { kind: 'broken', amount: `${broken} of ${usable.length} rows` };
  return usable.length >= fewest ? { kind: 'held' } : undecided(`only ${usable.length} made-up rows meet it before they are masked`);
}

const undecided = (amount: string): Verdict => ({ kind: 'undecided', amount });

/** A cast cuts what an assignment refuses. */
function isTooLong({ columns }: Condition, { after }: RehearsedRow): boolean {
  return columns.some(({ type: { length, kind } }, i) => length !== undefined && kind !== 'array' && [...(after[i] ?? '')].length > length);
}

/** The pseudonym does not depend on what the value looks like. */
function isBlind({ rule }: ColumnPlan): boolean {
  return rule.transform !== 'keep' && !rule.paths && rule.reveals.every((reveal) => reveal === 'equality' || reveal === 'frequency');
}

async function makeRows(plan: Plan, { table, columns, sql, undecidable }: Condition, count: number): Promise<readonly RehearsedRow[]> {
  const planned = plan.tables[table];
  const literals = [...(sql ?? '').matchAll(/'((?:[^']|'')*)'/g)].map(([, text = '']) => text.replaceAll("''", "'"));
  return !planned || undecidable ? [] : rehearse(plan, planned, columns, literals, count);
}

function toTrial({ known, sql, alias }: Condition, rows: readonly RehearsedRow[], side: 'before' | 'after'): Trial {
  return { columns: known, alias, rows: rows.map((row) => row[side]), ...(sql === undefined ? {} : { sql }) };
}

/** Transforms under which the same condition holds for the same made-up values; only where one column without joined ones decides it. */
async function findAlternatives(source: Asks, plan: Plan, condition: Condition): Promise<string> {
  const keep = 'keep with a reason and a last day';
  const [column, ...others] = condition.columns;
  if (!column || others.length > 0 || column.component !== undefined || column.rule.paths || condition.undecidable) return keep;
  const tried = transforms.flatMap((transform): Condition[] => {
    const rule = toOtherRule(column, transform);
    return rule ? [{ ...condition, columns: [{ ...column, rule }] }] : [];
  });
  const verdicts = await judgeAll(source, plan, tried);
  const holding = tried.flatMap(({ columns: [one] }, i) => (verdicts[i]?.kind === 'held' && one ? [one.rule.transform] : []));
  return [...holding, keep].join(', ');
}

function toOtherRule({ rule, type, unique, notNull }: ColumnPlan, transform: (typeof transforms)[number]): RulePlan | undefined {
  const { name, accepts, params: specs, scopes, uniqueness, reveals } = transform;
  const family = toTypeFamily(type);
  const fits = accepts.includes('any') || (family !== undefined && accepts.includes(family));
  const params = Object.fromEntries(Object.entries(specs).map(([key, { default: value }]) => [key, value ?? null]));
  const complete = Object.values(specs).every((spec) => spec.default !== undefined);
  // What can be exchanged back is nobody's way around a condition: an environment has to name its domain first.
  if (transform.reversible || !fits || !complete || name === rule.transform || name === 'keep' || (name === 'null' && notNull))
    return undefined;
  if (transform.misfit?.(type, params) !== undefined || (unique && uniqueness !== 'preserved')) return undefined;
  return { ...rule, transform: name, params, scope: scopes.includes(rule.scope) ? rule.scope : scopes[0], uniqueness, reveals };
}
