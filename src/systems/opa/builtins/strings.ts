// strings.* that the module does not bring itself.
import { Num, RegoSet, type Value } from '../value.js';
import type { Family } from './builtin.js';
import { integerOf, isArray, textOf, unfit } from './operand.js';

/** One text, or all of an array or set of them. */
function textsOf(value: Value | undefined): readonly string[] {
  if (typeof value === 'string') return [value];
  const items = value instanceof RegoSet ? value.sorted() : isArray(value) ? value : unfit();
  return items.map(textOf);
}

const anyMatch =
  (fits: (text: string, affix: string) => boolean) =>
  ([search, bases]: readonly Value[]): boolean => {
    const [texts, affixes] = [textsOf(search), textsOf(bases)];
    return texts.some((text) => affixes.some((affix) => fits(text, affix)));
  };

/** Without overlaps; the empty text is found between all code points and at both ends. */
function count(text: string, search: string): number {
  return search === '' ? [...text].length + 1 : text.split(search).length - 1;
}

/** Positions in code points, overlaps included. */
function indexesOf(text: string, search: string): Num[] {
  if (search === '') return unfit();
  const [points, wanted] = [[...text], [...search]];
  const found: Num[] = [];
  for (let at = 0; at + wanted.length <= points.length; at++) {
    if (wanted.every((point, offset) => points[at + offset] === point)) found.push(new Num(at));
  }
  return found;
}

/** The first n parts, or the last for a negative n. What lies past the n-th delimiter is left out, as in OPA. */
function splitN(text: string, delimiter: string, n: number): string[] {
  const parts = delimiter === '' ? [...text] : text.split(delimiter);
  return n >= 0 ? parts.slice(0, n) : parts.slice(Math.max(parts.length + n, 0));
}

export const stringBuiltins: Family = {
  'strings.any_prefix_match': anyMatch((text, affix) => text.startsWith(affix)),
  'strings.any_suffix_match': anyMatch((text, affix) => text.endsWith(affix)),
  'strings.count': ([text, search]) => new Num(count(textOf(text), textOf(search))),
  'strings.split_n': ([text, delimiter, n]) => splitN(textOf(text), textOf(delimiter), integerOf(n)),
  indexof_n: ([text, search]) => indexesOf(textOf(text), textOf(search)),
};
