// What a column's or table's name says, in the languages of names/*.txt.
import { readFileSync } from 'node:fs';

import { packageFile } from '../../../kernel/package-root.js';

export type TypeFamily = 'text' | 'number' | 'date' | 'bytes' | 'net' | 'uuid' | 'boolean' | 'other';

export interface NameHit {
  readonly tag: string;
  /** `name/de/vorname`. */
  readonly rule: string;
  readonly confidence: number;
}

interface Phrase {
  readonly tag: string;
  readonly rule: string;
  readonly kinds: readonly string[];
}

let phrases: ReadonlyMap<string, readonly Phrase[]> | undefined;
let persons: ReadonlySet<string> | undefined;

function loadLines(name: string): readonly (readonly string[])[] {
  const lines = readFileSync(packageFile('src', 'pipeline', 'classify', 'names', name), 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '').map((line) => line.split('|').map((part) => part.trim()));
}

function loadPhrases(): ReadonlyMap<string, readonly Phrase[]> {
  if (phrases) return phrases;
  const made = new Map<string, Phrase[]>();
  for (const [tag = '', kinds = '', language = '', words = ''] of loadLines('columns.txt')) {
    for (const word of words.split(' ')) {
      const phrase = { tag, rule: `name/${language}/${word}`, kinds: kinds.split(',') };
      made.set(word, [...(made.get(word) ?? []), phrase]);
    }
  }
  phrases = made;
  return made;
}

/** `birthDate`, `Birth Date`, `BIRTH_DATE` → `birth`, `date`. At most 12 words: a name has 63 bytes. */
export function toNameWords(name: string): readonly string[] {
  return name
    .replace(/(\p{Ll}|\d)(\p{Lu})/gu, '$1_$2')
    .replaceAll('ß', 'ss')
    .replace(/[łŁ]/g, 'l')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .slice(0, 12);
}

// `email_verified_at` and `has_phone` speak of the address and the number, and hold neither.
const about = new Set(
  'verified verification confirmed enabled disabled count counts number_of status state type kind flag opt optin sent valid validated changed updated created at expires expiry expired attempts template required visible public preference preferences consent length format provider version has is was allow allowed show id ids'.split(
    ' ',
  ),
);

/** The best meaning of a column's name among those that its type can have. */
export function findByName(name: string, family: TypeFamily): NameHit | undefined {
  if (family === 'boolean') return undefined;
  const words = toNameWords(name);
  let best: NameHit | undefined;
  for (let from = 0; from < words.length; from++) {
    for (let to = words.length; to > from; to--) {
      const confidence = toConfidence(words, from, to);
      if (confidence === 0 || (best && best.confidence >= confidence)) continue;
      const joined = words.slice(from, to).join('_');
      const known =
        loadPhrases().get(joined) ?? loadPhrases().get(joined.replace(/s$/, '')) ?? loadPhrases().get(joined.replace(/\d+$/, ''));
      const phrase = known?.find(({ kinds }) => kinds.includes('any') || kinds.includes(family));
      if (phrase) best = { tag: phrase.tag, rule: phrase.rule, confidence };
    }
  }
  return best;
}

/** All of the name is surest; then its end (`customer_email`), then its beginning (`email_home`, `phone2`). */
function toConfidence(words: readonly string[], from: number, to: number): number {
  const left = words.slice(0, from);
  const right = words.slice(to);
  if ([...left, ...right].some((word) => about.has(word))) return 0;
  const long = (to - from) * 0.01;
  if (left.length === 0 && right.length === 0) return 0.85 + long;
  if (right.length === 0) return 0.75 + long;
  if (right.every((word) => /^\d+$/.test(word))) return 0.74 + long;
  return left.length === 0 ? 0.55 + long : 0.45 + long;
}

/** Does the table's name say that its rows are people? */
export function isPersonTable(name: string): boolean {
  persons ??= new Set(loadLines('persons.txt').flatMap(([, words = '']) => words.split(' ')));
  const last = toNameWords(name).at(-1) ?? '';
  return [
    last,
    last.replace(/e?s$/, ''),
    last.replace(/ies$/, 'y'),
    last.replace(/n$/, ''),
    last.replace(/en$/, ''),
    last.replace(/i$/, 'e'),
  ].some((word) => persons?.has(word) === true);
}
