// What was seen row by row, held against what the transforms declare; nothing is a finding before it was compared byte by byte.
import { type Finding, toFinding, type Where } from '../../kernel/errors.js';
import type { Reader } from '../ports.js';
import type { Place } from './candidates.js';
import { poissonTail, unlikely } from './chance.js';
import { type Confirmed, confirmFixed, confirmOther } from './confirm-pairs.js';
import type { Leaf } from './leaves.js';
import type { PairResult, RowPairs } from './row-pairs.js';

/** So many that were compared byte by byte are certain; the rest is not counted. */
const ENOUGH = 1_000;

export interface PairJudgement {
  readonly findings: readonly Finding[];
  readonly byLeaf: ReadonlyMap<Leaf, PairResult>;
}

/** Adds what was seen of one table. `broken`: values outside the declared output space. */
export async function judgePairs(
  reader: Reader,
  before: PairJudgement,
  pairs: readonly RowPairs[],
  broken: ReadonlyMap<Place, { readonly rows: number; readonly first: number }>,
): Promise<PairJudgement> {
  const findings: Finding[] = [...before.findings];
  for (const [{ schema, table, column, path }, { rows, first }] of broken) {
    const where = { stage: 'verify', schema, table, column, path, row: first + 1, amount: `${rows} values`, expected: 'the output space' };
    findings.push(toFinding('VERIFY_LAW_BROKEN', where));
  }
  for (const { group, results } of pairs) {
    for (const result of results) if (result.unpaired === undefined) findings.push(...(await judge(reader, group.multiple, result)));
  }
  return {
    findings,
    byLeaf: new Map([...before.byLeaf, ...pairs.flatMap(({ results }) => results.map((one) => [one.leaf, one] as const))]),
  };
}

async function judge(reader: Reader, multiple: boolean, result: PairResult): Promise<readonly Finding[]> {
  const { leaf, fixed, expected, other, units, nullsFilled, nullsMade } = result;
  const { table, field, rule } = leaf;
  const where: Where = { stage: 'verify', schema: table.schema, table: table.name, column: field.column, path: field.path };
  const findings: Finding[] = [];
  if (poissonTail(fixed, expected) < unlikely) {
    const isEnough = (count: number): boolean => count >= ENOUGH && poissonTail(count, expected) < unlikely;
    const confirmed = await confirmFixed(reader, leaf, multiple, isEnough);
    const count = confirmed.atLeast ? confirmed.units : Math.min(fixed, confirmed.units);
    if (poissonTail(count, expected) < unlikely) {
      const amount = `${toCount(count, confirmed)} of ${units}, where ${toNumber(expected)} are expected`;
      findings.push(toFinding('VERIFY_FIXED_POINTS', { ...where, amount, row: toRow(result.firstFixed) }));
    }
  }
  if (other > 0) {
    const confirmed = await confirmOther(reader, leaf, multiple, result.otherRows, (count) => count >= ENOUGH);
    const amount = `${toCount(confirmed.units, confirmed)} originals`;
    if (confirmed.units > 0) findings.push(toFinding('VERIFY_NO_FUNCTION', { ...where, amount, row: toRow(result.firstOther) }));
  }
  if (nullsFilled > 0)
    findings.push(toFinding('VERIFY_LAW_BROKEN', { ...where, amount: `${nullsFilled} values`, expected: 'NULL stays NULL' }));
  if (nullsMade > 0 && rule.transform !== 'null')
    findings.push(toFinding('VERIFY_LAW_BROKEN', { ...where, amount: `${nullsMade} values`, expected: 'a value stays a value' }));
  return findings;
}

function toCount(count: number, { atLeast }: Confirmed): string {
  return atLeast ? `at least ${count}` : String(count);
}

export function toNumber(expected: number): string {
  if (expected === 0) return '0';
  return expected >= 10 ? expected.toFixed(0) : expected >= 0.01 ? expected.toFixed(2) : expected.toExponential(0);
}

function toRow(event: { readonly row: number } | undefined): number | undefined {
  return event && event.row + 1;
}
