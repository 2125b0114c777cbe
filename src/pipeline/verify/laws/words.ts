// Laws of words: whether a text is one of the phrases that there are, and what it says about its person.
import type { Part, Phrase } from '../../law.js';

/** By label, everything that the text may stand for. */
export type Bindings = ReadonlyMap<string, ReadonlySet<string>>;

const sets = new WeakMap<readonly string[], ReadonlySet<string>>();

function toSet(words: readonly string[]): ReadonlySet<string> {
  const known = sets.get(words) ?? new Set(words);
  sets.set(words, known);
  return known;
}

type Bound = readonly (readonly [label: string, word: string])[];

/** Every way in which `text` from `at` on is the rest of the phrase. */
function* match(phrase: Phrase, index: number, text: string, at: number, bound: Bound): Generator<Bound, void, undefined> {
  const part = phrase[index];
  if (!part) {
    if (at === text.length) yield bound;
    return;
  }
  for (const end of toEnds(part, text, at)) {
    const is = 'is' in part && part.is !== undefined ? [[part.is, text.slice(at, end)] as const] : [];
    yield* match(phrase, index + 1, text, end, [...bound, ...is]);
  }
}

function* toEnds(part: Part, text: string, at: number): Generator<number, void, undefined> {
  if ('text' in part) {
    if (text.startsWith(part.text, at)) yield at + part.text.length;
  } else if ('words' in part) {
    const words = toSet(part.words);
    for (let end = at + 1; end <= text.length; end++) if (words.has(text.slice(at, end))) yield end;
  } else if ('most' in part) {
    const [digits = ''] = /^[1-9]\d*/.exec(text.slice(at)) ?? [];
    for (let end = at + 1; end <= at + digits.length; end++) if (Number(text.slice(at, end)) <= part.most) yield end;
  } else {
    const signs = [...part.shape];
    const fits = signs.every(
      (sign, i) => (sign === '#' ? /\d/ : sign === '?' ? /[A-Z]/ : undefined)?.test(text[at + i] ?? '') ?? sign === text[at + i],
    );
    if (fits) yield at + signs.length;
  }
}

const none: readonly Bound[] = [];

/** Seen at once of the many phrases that are one fixed text. */
function isOther([part, ...more]: Phrase, text: string): boolean {
  return part !== undefined && 'text' in part && more.length === 0 && part.text !== text;
}

/** What a text is bound to; undefined: it is none of the phrases. */
export function toBindings(phrases: readonly Phrase[], agree: string | undefined, text: string): Bindings | undefined {
  const found = new Map<Phrase, readonly Bound[]>();
  const bindings = new Map<string, Set<string>>();
  const bind = (label: string, word: string): void => void bindings.set(label, (bindings.get(label) ?? new Set()).add(word));
  let isOne = false;
  phrases.forEach((phrase, i) => {
    const ways = found.get(phrase) ?? (isOther(phrase, text) ? none : [...match(phrase, 0, text, 0, [])]);
    found.set(phrase, ways);
    if (ways.length === 0) return;
    isOne = true;
    if (agree !== undefined) bind(agree, String(i));
    for (const [label, word] of ways.flat()) bind(label, word);
  });
  return isOne ? bindings : undefined;
}

/** A label on which the texts of one person cannot agree; undefined: they do. */
export function findDisagreement(all: readonly Bindings[]): string | undefined {
  const labels = new Set(all.flatMap((bindings) => [...bindings.keys()]));
  return [...labels].find((label) => {
    const [first, ...rest] = all.flatMap((bindings) => bindings.get(label) ?? []);
    return ![...(first ?? [])].some((word) => rest.every((words) => words.has(word)));
  });
}
