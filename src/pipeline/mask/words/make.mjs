// Makes the word tables from @faker-js/faker. For development only: `node src/pipeline/mask/words/make.mjs`, then look at the diff. A changed
// table changes everybody's pseudonyms, so it takes a release note. places.txt and company-suffixes.txt are written by hand.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allLocales } from '@faker-js/faker';

const folder = dirname(fileURLToPath(import.meta.url));
const locales = { en: 'en', de: 'de', fr: 'fr', es: 'es', it: 'it', nl: 'nl', pt: 'pt_PT', sv: 'sv', da: 'da', nb: 'nb_NO', fi: 'fi', pl: 'pl', cs: 'cs_CZ', tr: 'tr', ja: 'ja' };
/** Locales whose letters are all in Latin-1, so that the default tables fit the databases of western Europe in any encoding. */
const western = ['en', 'de', 'fr', 'es', 'it', 'nl', 'pt', 'sv', 'da', 'nb', 'fi'];

const person = (locale) => allLocales[locales[locale]].person;
const location = (locale) => allLocales[locales[locale]].location;
const all = (entry) => [...(entry?.generic ?? []), ...(entry?.female ?? []), ...(entry?.male ?? [])];

/** Names of one word: letters, with an apostrophe or a hyphen inside. */
const name = (word) => /^\p{Lu}[\p{L}\p{M}]*(['’-][\p{L}\p{M}]+)*$/u.test(word) || /^\p{Script=Han}+$|^[\p{Script=Hiragana}\p{Script=Katakana}]+$/u.test(word);
const latin1 = (word) => [...word].every((letter) => letter.codePointAt(0) < 256);
const shortest = (from, to) => (word) => [...word].length >= from && [...word].length <= to;

function write(table, words) {
  const clean = words.map((word) => word.normalize('NFC').replaceAll('’', "'").trim());
  const sorted = [...new Set(clean)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  if (sorted.some((word) => /[\p{Cc}\\]/u.test(word) || word === '')) throw new Error(`a word of ${table} would be escaped`);
  writeFileSync(join(folder, `${table}.txt`), sorted.map((word) => `${word}\n`).join(''));
  process.stderr.write(`${table}: ${sorted.length}\n`);
}

for (const locale of Object.keys(locales)) {
  const from = locale === 'ja' ? 1 : 2;
  write(`first-names-${locale}`, all(person(locale).first_name).filter(name).filter(shortest(from, 12)));
  write(`last-names-${locale}`, all(person(locale).last_name).filter(name).filter(shortest(from, 14)));
}
const merged = (of) => western.flatMap((locale) => all(person(locale)[of])).filter(name).filter(latin1);
write('first-names', merged('first_name').filter(shortest(2, 12)));
write('last-names', merged('last_name').filter(shortest(2, 14)));

const first = (locale) => all(person(locale).first_name).filter(name);
const last = (locale) => all(person(locale).last_name).filter(name);
const cross = (befores, afters, join) => befores.flatMap((before) => afters.map((after) => join(before, after)));
const some = (words, count) => [...new Set(words)].sort().filter((_, i, sorted) => i % Math.ceil(sorted.length / count) === 0);
const fits = shortest(3, 28);
const streets = {
  EN: location('en').street_name,
  DE: location('de').street_name,
  ES: cross(['Calle', 'Avenida', 'Plaza', 'Camino'], some(last('es'), 150), (a, b) => `${a} ${b}`),
  FR: cross(['Rue', 'Avenue', 'Boulevard', 'Quai'], location('fr').street_suffix, (a, b) => `${a} ${b}`),
  IT: cross(['Via', 'Piazza', 'Strada'], some(last('it'), 200), (a, b) => `${a} ${b}`),
  NL: cross(some(last('nl').filter((word) => !/['-]/.test(word)), 80), ['straat', 'laan', 'weg', 'gracht', 'plein'], (a, b) => `${a}${b}`),
  PL: cross(['ul.', 'al.', 'pl.'], some(last('pl'), 160), (a, b) => `${a} ${b}`),
  SE: cross(first('sv').filter((word) => !/s$/.test(word)), ['svägen', 'sgatan', 'sgränd'], (a, b) => `${a}${b}`),
};
for (const [country, words] of Object.entries(streets)) write(`streets-${country.toLowerCase()}`, words.filter((word) => fits(word) && !/[\d,"]/.test(word)));
