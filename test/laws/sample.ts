// Inputs with their outputs, and how strongly one depends on the other: agreement of each output with its own input, against agreement with
// a stranger's input. Whatever the law of the outputs is, without dependence the two counts differ by chance only.
import type { Transform } from '../../src/pipeline/mask/transform.js';
import { applyTransform, toDataType } from '../support/apply-transform.js';
import type { LawCase } from './inputs/law-inputs.js';

export interface Sample {
  readonly inputs: readonly (string | null)[];
  readonly outputs: readonly (string | null)[];
}

export type Trait = 'order' | 'length' | 'prefix' | 'format' | 'substring';

/** Applies in the default scope: row i belongs to person i. */
export function sampleOf(
  transform: Transform,
  each: LawCase,
  key: string,
  values: readonly (string | null)[],
  batches: readonly number[] = [],
): Sample {
  const companions = each.companions === undefined ? [] : toCompanions(values, each.companions);
  const byValue = transform.scopes[0] === 'value';
  const outputs = applyTransform(transform, values, {
    key,
    type: toDataType(each.type),
    params: each.params ?? {},
    batches,
    companions,
    ...(byValue ? {} : { seeds: values.map((_, i) => `row ${i}`) }),
  });
  return { inputs: values, outputs };
}

/** How many different pseudonyms `count` draws from a space of `space` give on average. */
export function expectedDistinct(space: number, count: number): number {
  return space * -Math.expm1(-count / space);
}

/** Standard deviations by which outputs resemble their own inputs more, or less, than strangers' inputs. */
export function dependence(sample: Sample, trait: Trait, each: LawCase): number {
  const numeric = /^(int|num|float|oid|money)/.test(each.type);
  const rows = sample.inputs.flatMap((input, i) =>
    input === null || (sample.outputs[i] ?? null) === null ? [] : [[input, sample.outputs[i] as string] as const],
  );
  const half = Math.floor(rows.length / 2);
  let own = 0;
  let strange = 0;
  let uneven = 0;
  for (let i = 0; i < half; i++) {
    const [a, x] = rows[i]!;
    const [b, y] = rows[i + half]!;
    const mine = agreement(trait, numeric, a, x, b, y);
    const theirs = agreement(trait, numeric, a, y, b, x);
    own += mine;
    strange += theirs;
    uneven += (mine - theirs) ** 2;
  }
  return uneven === 0 ? 0 : Math.abs(own - strange) / Math.sqrt(uneven);
}

/** How far two inputs agree with two outputs in a trait. */
function agreement(trait: Trait, numeric: boolean, a: string, x: string, b: string, y: string): number {
  switch (trait) {
    case 'order':
      return Math.sign(compare(a, b, numeric)) * Math.sign(compare(x, y, numeric));
    case 'length':
      return Math.sign([...a].length - [...b].length) * Math.sign([...x].length - [...y].length);
    case 'prefix':
      return Number(a.slice(0, 3) === x.slice(0, 3)) + Number(b.slice(0, 3) === y.slice(0, 3));
    case 'format':
      return Number(toFormat(a) === toFormat(x)) + Number(toFormat(b) === toFormat(y));
    case 'substring':
      return Number(holdsPart(x, a)) + Number(holdsPart(y, b));
  }
}

function compare(a: string, b: string, numeric: boolean): number {
  if (numeric) return Number(a) - Number(b);
  return a < b ? -1 : Number(a > b);
}

function toFormat(value: string): string {
  return value.replace(/\p{L}/gu, 'a').replace(/\p{N}/gu, '9');
}

/** Whether four characters in a row of the input stand in the output. */
function holdsPart(output: string, input: string): boolean {
  for (let i = 0; i + 4 <= input.length; i++) if (output.includes(input.slice(i, i + 4))) return true;
  return false;
}

function toCompanions(
  values: readonly (string | null)[],
  of: NonNullable<LawCase['companions']>,
): { tag: string; original: (string | null)[]; masked: (string | null)[] }[] {
  const rows = values.map((value) => of(value ?? ''));
  return (rows[0] ?? []).map(({ tag }, i) => ({
    tag,
    original: rows.map((row) => row[i]?.original ?? null),
    masked: rows.map((row) => row[i]?.masked ?? null),
  }));
}
