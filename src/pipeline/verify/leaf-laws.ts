// The laws of one column or path over a sample of its values: those that its transform declares, those that every transform keeps, and what
// `reveals` does not name.
import type { Law } from '../law.js';
import { poissonTail } from './chance.js';
import { type Bindings, holds, isOfOutput, toBindings, toName } from './laws/laws.js';
import type { Leaf } from './leaves.js';

/** What a look at one value said beside whether it keeps the laws. */
export interface Looked {
  readonly bindings?: Bindings;
}

/** A law, how many values were held to it, how many broke it, and the row of the first of these where it is known. */
export interface Tested {
  readonly name: string;
  values: number;
  broken: number;
  row?: number;
}

export interface LawResult {
  readonly leaf: Leaf;
  /** Values of the sample, NULL included. */
  readonly values: number;
  readonly tested: readonly Tested[];
  /** Declared, and no value of the sample could be held to them. */
  readonly untested: readonly string[];
}

const nullStays = 'NULL stays NULL';
const valueStays = 'a value stays a value';
const oneToOne = 'one original, one pseudonym';
const distinct = 'other originals, other pseudonyms';
const together = 'agrees with the rest of the person';
const hidesLength = 'nothing of the length';
const hidesBeginning = 'nothing of the beginning';

/** Chance may do what these tests take for a broken law once in so many columns. */
const never = 1e-9;
/** So many different values it takes until a dependence is told from chance. */
const ENOUGH = 200;

export class LeafLaws {
  private readonly laws: readonly Law[];
  private readonly byName = new Map<string, Tested>();
  private readonly pseudonyms = new Map<string, string>();
  private readonly originals = new Map<string, string>();
  private values = 0;

  constructor(readonly leaf: Leaf) {
    this.laws = leaf.claim.laws;
  }

  /** Fields as COPY wrote them; `original` undefined: it is not known. */
  look(original: string | undefined, output: string, row: number | undefined): Looked | undefined {
    this.values++;
    const isEmptied = this.leaf.rule.transform === 'null';
    if (original === '\\N') return void this.test(nullStays, output === '\\N', row);
    if (original !== undefined && !isEmptied) this.test(valueStays, output !== '\\N', row);
    if (output === '\\N') {
      if (isEmptied) for (const law of this.laws) this.test(toName(law), true, row);
      return undefined;
    }
    const before = original === undefined ? undefined : this.toCompared(this.toText(original));
    const after = this.toText(output);
    let bindings: Bindings | undefined;
    for (const law of this.laws) {
      if (law.law === 'words') {
        bindings = toBindings(law.phrases, law.agree, after);
        this.test(toName(law), bindings !== undefined, row);
        continue;
      }
      if (before === undefined && !isOfOutput(law)) continue;
      const held = holds(law, this.leaf.type, after, before);
      if (held !== undefined) this.test(toName(law), held, row);
    }
    if (before !== undefined) this.remember(before, after, row);
    return bindings ? { bindings } : {};
  }

  /** Whether the value fits those of the same row that speak of the same person; `of`: how many there are. */
  agree(held: boolean, of: number, row: number): void {
    if (of > 1) this.test(together, held, row);
  }

  result(): LawResult {
    this.testReveals();
    const tested = [...this.byName.values()];
    const untested = this.laws.map(toName).filter((name) => !this.byName.has(name));
    return { leaf: this.leaf, values: this.values, tested, untested: [...new Set(untested)] };
  }

  private test(name: string, held: boolean, row: number | undefined): void {
    const known = this.byName.get(name) ?? { name, values: 0, broken: 0 };
    this.byName.set(name, known);
    known.values++;
    if (held) return;
    known.broken++;
    if (row !== undefined) known.row ??= row;
  }

  private remember(original: string, output: string, row: number | undefined): void {
    const { rule, claim } = this.leaf;
    const known = this.pseudonyms.get(original);
    const isOfValue = rule.scope === 'value';
    if (known === undefined) this.pseudonyms.set(original, output);
    else if (isOfValue) this.test(oneToOne, known === output, row);
    if (!isOfValue || rule.uniqueness !== 'preserved' || !isRoomy(claim.space)) return;
    const other = this.originals.get(this.toCompared(output));
    this.test(distinct, other === undefined || other === original, row);
    this.originals.set(this.toCompared(output), original);
  }

  /** What the transform does not say that it lets through: lengths and beginnings of different originals with different outputs. */
  private testReveals(): void {
    const { reveals, transform } = this.leaf.rule;
    const lets = (...some: string[]): boolean => reveals.some((one) => some.includes(one));
    if (transform === 'null' || this.pseudonyms.size < ENOUGH) return;
    const pairs = [...new Map([...this.pseudonyms].map(([original, output]) => [output, original] as const))].map(
      ([output, original]) => [original, output] as const,
    );
    if (pairs.length < ENOUGH) return;
    if (!lets('value', 'length', 'band', 'format'))
      this.test(hidesLength, !isCorrelated(pairs.map(([a, b]) => [a.length, b.length])), undefined);
    if (!lets('value', 'prefix', 'band', 'order', 'format')) this.test(hidesBeginning, !sharesBeginnings(pairs), undefined);
  }

  /** As the type holds texts equal: what a transform is given. */
  private toCompared(text: string): string {
    const { rule, type } = this.leaf;
    if (rule.transform === 'keep') return text;
    if (rule.canonical === 'citext' || type.base === 'citext') return [...text].map(toSmall).join('');
    const isNumber = ['numeric', 'float'].includes(rule.canonical) || ['numeric', 'float4', 'float8'].includes(type.base);
    return isNumber && /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text;
  }

  private toText(field: string): string {
    const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v' };
    const text = Buffer.from(
      field.replace(/\\(.)/gs, (_, letter: string) => letters[letter] ?? letter),
      'latin1',
    ).toString();
    return this.leaf.type.base === 'bpchar' ? text.replace(/ +$/, '') : text;
  }
}

/** No two of a sample's originals meet by chance. */
function isRoomy(space: bigint): boolean {
  return space === 0n || space > 10n ** 15n;
}

function toSmall(sign: string): string {
  const small = sign.toLowerCase();
  return [...small].length === 1 ? small : sign;
}

function isCorrelated(pairs: readonly (readonly [number, number])[]): boolean {
  const mean = (of: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[of], 0) / pairs.length;
  const [x, y] = [mean(0), mean(1)];
  const sum = (of: (a: number, b: number) => number): number => pairs.reduce((so, [a, b]) => so + of(a - x, b - y), 0);
  const spread = Math.sqrt(sum((a) => a * a) * sum((_, b) => b * b));
  return spread > 0 && (Math.abs(sum((a, b) => a * b)) / spread) * Math.sqrt(pairs.length) > 7;
}

/** More outputs begin as their originals do than chance has it. */
function sharesBeginnings(pairs: readonly (readonly [string, string])[]): boolean {
  const first = (text: string): string => text.slice(0, 1).toLowerCase();
  const count = (of: 0 | 1): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const pair of pairs) counts.set(first(pair[of]), (counts.get(first(pair[of])) ?? 0) + 1);
    return counts;
  };
  const [before, after] = [count(0), count(1)];
  const expected = [...before].reduce((sum, [sign, times]) => sum + (times * (after.get(sign) ?? 0)) / pairs.length, 0);
  const shared = pairs.filter(([original, output]) => first(original) === first(output)).length;
  return shared > expected && poissonTail(shared, expected) < never;
}
