// What was decided for each column and path, and what was seen: printed, and kept in the log.
import { type Finding, toFinding } from '../../kernel/errors.js';
import type { Receipt } from '../ports.js';
import type { Found, Place } from './candidates.js';
import type { LawResult } from './leaf-laws.js';
import type { Leaf } from './leaves.js';
import type { Originals } from './originals.js';
import { type PairJudgement, toNumber } from './pair-judgement.js';
import type { PairResult } from './row-pairs.js';

/**
 * `zero`: no original lies in the output space, so none may stand anywhere. `rate`: some do; rows were compared. `not testable`: nothing can be
 * said of so many rows, and `why`.
 */
export interface Verdict {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly path?: string;
  readonly tag: string;
  readonly verdict: 'zero' | 'rate' | 'not testable';
  readonly why: string;
  /** Rows of the table. */
  readonly rows: number;
  /** Rows of this column of the output that hold an original which may not stand there. */
  readonly originals: number;
  /** There are more of them than were compared with the source. */
  readonly atLeast?: true;
  /** What a sample of the column was held to, and what of that no value could be held to. */
  readonly laws: {
    readonly values: number;
    readonly tested: readonly string[];
    readonly untested: readonly string[];
  };
  readonly pairs?: {
    readonly by: 'key' | 'place';
    readonly rows: number;
    readonly distinct: number;
    readonly unchanged: number;
    readonly expected: number;
    /** Originals with more than one pseudonym. */
    readonly notOne: number;
  };
}

export function toVerdicts(
  leaves: readonly Leaf[],
  originals: Originals,
  judgement: PairJudgement,
  found: ReadonlyMap<Place, Found>,
  rowsOf: ReadonlyMap<string, number>,
  changed: readonly Receipt[],
  laws: readonly LawResult[],
): readonly Verdict[] {
  return leaves.map((leaf) => {
    const { table, field, tag } = leaf;
    const path = field.path === undefined ? {} : { path: field.path };
    const here = [...found].filter(
      ([place]) =>
        place.schema === table.schema &&
        place.table === table.name &&
        place.column === field.column &&
        (place.path ?? field.path) === field.path,
    );
    const result = judgement.byLeaf.get(leaf);
    const rows = rowsOf.get(`${table.schema}\u0000${table.name}`) ?? 0;
    const { verdict, why } = decide(leaf, originals, result);
    const before = changed.find((one) => one.schema === table.schema && one.table === table.name);
    const after = before
      ? `; of the ${before.rows} rows as loaded: what \`after\` files wrote since was searched, and not compared row by row`
      : '';
    return {
      ...{ schema: table.schema, table: table.name, column: field.column, ...path, tag, verdict, why: why + after, rows },
      originals: here.reduce((sum, [, { rows: some }]) => sum + some, 0),
      ...(here.some(([, { atLeast }]) => atLeast) ? { atLeast: true as const } : {}),
      laws: toLaws(laws.find((one) => one.leaf === leaf)),
      ...(result && result.unpaired === undefined && result.pairs > 0 ? { pairs: toPairs(leaf, result) } : {}),
    };
  });
}

function decide(leaf: Leaf, originals: Originals, result: PairResult | undefined): Pick<Verdict, 'verdict' | 'why'> {
  const { claim, rule, table } = leaf;
  const { inSpace, everywhere, ownOnly } = originals.of(leaf);
  if (claim.output === 'disjoint' && inSpace === 0) {
    const where = [...(everywhere > 0 ? ['everywhere and inside text'] : []), ...(ownOnly > 0 ? [leaf.reach === 'cell' ? 'as whole cells everywhere' : 'as whole cells of its tag'] : [])]; // prettier-ignore
    return { verdict: 'zero', why: `no original is of the output space; looked for ${where.join(', ') || 'nothing: there is none'}` };
  }
  if (claim.fixedPoints === undefined) {
    return {
      verdict: 'not testable',
      why: rule.transform === 'keep' ? 'kept on purpose' : `${rule.transform} lets part of the original through`,
    };
  }
  const space =
    claim.output === 'disjoint'
      ? `${inSpace} ${inSpace === 1 ? 'original is' : 'originals are'} of the output space`
      : 'pseudonyms share the space of the originals';
  if (table.pairing === undefined) return { verdict: 'not testable', why: `${space}, and no kept key and no place tells its rows apart` };
  if (!result) return { verdict: 'not testable', why: `${space}, and its rows were not compared` };
  if (result.unpaired !== undefined) {
    const lack = result.unpaired === 'order' ? 'its rows stand in different orders' : 'its values are more than memory compares';
    return { verdict: 'not testable', why: `${space}, and ${lack}` };
  }
  if (result.pairs === 0 && result.alone > 0) return { verdict: 'not testable', why: `${space}, and none of its rows found its partner` };
  if (result.pairs === 0) return { verdict: 'not testable', why: 'there was nothing to test: it has no rows' };
  if (result.compared === 0) return { verdict: 'not testable', why: 'there was nothing to test: no original holds a letter or digit' };
  if (result.units === 0 && result.excluded > 0)
    return { verdict: 'not testable', why: `${space}, and its ${result.excluded} values are too short to be told from chance` };
  const by = table.pairing.by === 'place' ? 'place' : `key (${table.pairing.columns.join(', ')})`;
  // Columns that share their pseudonyms are one function, and each of its originals is counted where it was seen first.
  if (result.units === 0) {
    const there = 'each of its originals stands in another column of the table too, is counted there and has to have the same pseudonym';
    return { verdict: 'rate', why: `${space}; rows paired by ${by}: ${there}` };
  }
  return {
    verdict: 'rate',
    why: `${space}; rows paired by ${by}: ${result.fixed} of ${result.units} came out as they were, ${toNumber(result.expected)} expected${result.alone > 0 ? `; ${result.alone} rows of both sides found no partner` : ''}`,
  };
}

function toPairs({ table }: Leaf, result: PairResult): NonNullable<Verdict['pairs']> {
  const { pairs, units, fixed, expected, other } = result;
  return {
    by: table.pairing?.by ?? 'place',
    rows: pairs,
    distinct: units,
    unchanged: fixed,
    expected: Number(expected.toPrecision(6)),
    notOne: other,
  };
}

function toLaws(result: LawResult | undefined): Verdict['laws'] {
  if (!result) return { values: 0, tested: [], untested: [] };
  const { values, tested, untested } = result;
  return { values, tested: tested.map(({ name }) => name).sort(), untested };
}

/** One finding a law that was broken. */
export function toLawFindings({ leaf, tested }: LawResult): readonly Finding[] {
  const { table, field } = leaf;
  const where = { stage: 'verify', schema: table.schema, table: table.name, column: field.column, path: field.path };
  return tested
    .filter(({ broken }) => broken > 0)
    .map(({ name, values, broken, row }) => {
      const first = row === undefined ? {} : { row: row + 1 };
      return toFinding('VERIFY_LAW_BROKEN', { ...where, ...first, amount: `${broken} of ${values} sampled values`, expected: name });
    });
}
