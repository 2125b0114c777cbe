// Names of people and places, by the word tables that masking draws from. A package without the tables has no such detectors, only fewer suggestions.
import { existsSync, readFileSync } from 'node:fs';

import { packageFile } from '../../../kernel/package-root.js';
import type { Detector } from './detector.js';

const tables = new Map<string, ReadonlySet<string>>();

function loadTable(name: string, toWord: (line: string) => string = (line) => line): ReadonlySet<string> {
  let table = tables.get(name);
  if (table === undefined) {
    const path = packageFile('src', 'pipeline', 'mask', 'words', `${name}.txt`);
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    table = new Set(lines.filter((line) => line !== '').map((line) => toWord(line).toLowerCase()));
    tables.set(name, table);
  }
  return table;
}

const isFirst = (word: string): boolean => loadTable('first-names').has(word.toLowerCase());
const isLast = (word: string): boolean => loadTable('last-names').has(word.toLowerCase());
const isCity = (word: string): boolean => loadTable('places', (line) => line.split('|')[4] ?? '').has(word.toLowerCase());

function isFullName(value: string): boolean {
  const words = value
    .replace(/^(?:Dr|Mr|Mrs|Ms|Prof|Herr|Frau|Mme|M|Sr|Sra)\.? /, '')
    .replace(',', '')
    .split(/ +/);
  if (words.length < 2 || words.length > 4) return false;
  const [first = '', last = ''] = [words[0], words.at(-1)];
  return (isFirst(first) && isLast(last)) || (isLast(first) && isFirst(last) && value.includes(','));
}

// Words of English and SQL that are names as well: they do not make two words a person in a text.
const ordinary = new Set(
  'april august may june day page price long short young old new north south west east street grant will mark bill sale sales order case king queen park field ford stone church hill lake bank bond banks rose summer winter sunny major minor miles royal general santa san saint art china jordan chase law power powers best good more little brown green black white gray price wood woods forest city house homes temple rich christian english french german roman golden star sky'.split(
    ' ',
  ),
);
const pairInText = /(?<![\p{L}\p{N}_.])(\p{Lu}\p{Ll}{1,20}) (\p{Lu}\p{Ll}{1,20}(?:-\p{Lu}\p{Ll}{1,20})?)(?![\p{L}\p{N}_])/gu;

function holdsFullName(text: string): boolean {
  for (const match of text.matchAll(pairInText)) {
    const [, first = '', last = ''] = match;
    if (!ordinary.has(first.toLowerCase()) && !ordinary.has(last.toLowerCase()) && isFirst(first) && isLast(last)) return true;
  }
  return false;
}

/** `anna_smith`, `Anna.Smith`, `AnnaSmith`: an identifier made of a person's names. */
export function isPersonIdentifier(word: string): boolean {
  const parts = word.split(/[_.-]|(?<=\p{Ll})(?=\p{Lu})/u).filter((part) => part !== '');
  const [first = '', last = ''] = parts;
  if (parts.length !== 2 || first.length < 3 || last.length < 3) return false;
  return !ordinary.has(first.toLowerCase()) && !ordinary.has(last.toLowerCase()) && isFirst(first) && isLast(last);
}

/** `Anna`: a capitalised given name alone, which as a key of a document is no member's name. */
export function isGivenName(word: string): boolean {
  return /^\p{Lu}\p{Ll}+$/u.test(word) && !ordinary.has(word.toLowerCase()) && isFirst(word);
}

export const names: readonly Detector[] = [
  { rule: 'content/first-name', tag: 'pii.first-name', kinds: ['text'], confidence: 0.85, matches: isFirst },
  { rule: 'content/last-name', tag: 'pii.last-name', kinds: ['text'], confidence: 0.85, matches: isLast },
  { rule: 'content/full-name', tag: 'pii.full-name', kinds: ['text'], confidence: 0.92, matches: isFullName, isIn: holdsFullName },
  { rule: 'content/city', tag: 'pii.address.city', kinds: ['text'], confidence: 0.75, matches: isCity },
];
