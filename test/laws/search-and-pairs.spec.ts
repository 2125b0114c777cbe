// The verifier's kernel says what its slow twins say: of texts with escapes, signs of several bytes and borders of all kinds, cut anywhere.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { toAlphabet, toAlphabetSize } from '../../src/pipeline/mask/permutation/character-class.js';
import { FieldTables, flags } from '../../src/pipeline/verify/field-table.js';
import { isLetter, TABLE_CODES, toLetterTable, toSmallLetter } from '../../src/pipeline/verify/letters.js';
import { counters, type Hit, hitKinds, SearchKernel } from '../../src/pipeline/verify/search-kernel.js';
import { type PairedRow, pairSlowly } from './pairs.reference.js';
import { searchSlowly, toSmall } from './search.reference.js';

const seed = Number(process.env['BAUTA_LAW_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const kernel = new SearchKernel(14, 12, 0x1234_5678_9abc_def0n);
const tables = new FieldTables(kernel);
const [tagSeed, ownSeed] = [11n, 13n];
const inserting = tables.write([{ flags: flags.insert | flags.modeInside, tagSeed, ownSeed }]);
const searching = tables.write([{ flags: flags.inside, seeds: [kernel.seed] }]);

/** Feeds lines in chunks of these lengths, over and over. */
function feed(
  fields: number,
  source: boolean,
  lines: readonly string[],
  cuts: readonly number[],
  onHit: (hit: Hit) => void = () => undefined,
): void {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const stream = kernel.lines(fields, source);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = cuts.length === 0 ? bytes.length : (cuts[i % cuts.length] as number);
    kernel.feed(stream, bytes.subarray(at, at + length), onHit);
    at += length;
  }
  expect([stream.rows, stream.held.length]).toEqual([lines.length, 0]);
}

function searchFast(originals: readonly string[], output: readonly string[], cuts: readonly number[]): readonly number[] {
  kernel.beginSet(0, 1);
  kernel.noPairs();
  feed(inserting, true, originals, cuts);
  const rows = new Set<number>();
  feed(searching, false, output, cuts, ({ kind, row }) => {
    if (kind === hitKinds.token || kind === hitKinds.digits) rows.add(row);
  });
  return [...rows].sort((a, b) => a - b);
}

/** As COPY writes a text, after as many layers of JSON as asked. */
function toField(text: string, layers: number): string {
  let inner = text;
  for (let i = 0; i < layers; i++) inner = JSON.stringify({ k: inner });
  const letters: Readonly<Record<string, string>> = { '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v' };
  return inner.replace(/[\\\b\f\n\r\t\v]/g, (sign) => `\\${letters[sign] ?? sign}`);
}

const original = fc.oneof(
  fc.stringMatching(/^[a-z]{1,8}\d{0,3}@[a-z]{2,9}\.(com|uk)$/),
  fc.stringMatching(/^(\d{3}[ -]?){3,5}$/),
  fc.stringMatching(/^[A-Z]{2}\d{2}[A-Z]{4}\d{6,14}$/),
  fc.stringMatching(/^\+?\d{1,3}-\d{3}-\d{3,4}$/),
  fc.constantFrom(
    'ada"lovelace"1@corp.uk',
    'müller.7@corp.uk',
    'ÅSE12@corp.uk',
    'ΑΒΓ-1234567',
    'a\\b\\123456',
    'x'.repeat(70) + '1',
    'tab\there1234567',
    'Ж123456',
    '“ada1@corp.uk”',
    'Ңурлан-1@corp.uk',
    'ՍԱՐԳՍՅԱՆ 123456',
    'ΆΝΝΑΣ-1234567',
    'ŁUKASZ.7@corp.uk',
    '京A123456',
  ),
);
const between = fc.constantFrom(
  '',
  ' ',
  ', ',
  '-',
  '.',
  '“',
  '…',
  '\n',
  '\t',
  '"',
  '\\',
  'x',
  'é',
  '9',
  '🙂',
  '<',
  '@',
  '/',
  '田',
  'は',
  'ا',
  'ש',
  'ก',
  'Я',
  '\u00a0',
  '  ',
  '=',
);
const filler = fc.oneof(fc.stringMatching(/^[a-z ]{0,12}$/), fc.stringMatching(/^[\d -]{0,14}$/), fc.string({ maxLength: 8 }).map((text) => text.replaceAll('\u0000', ''))); // prettier-ignore
const case_ = fc
  .array(original, { minLength: 1, maxLength: 6 })
  .chain((originals) => {
    const piece = fc.oneof(filler, fc.constantFrom(...originals), fc.constantFrom(...originals).map((one) => one.toUpperCase()), fc.constantFrom(...originals).map((one) => one.slice(1))); // prettier-ignore
    const text = fc.array(fc.tuple(piece, between), { maxLength: 5 }).map((pieces) => pieces.flat().join(''));
    const field = fc.option(fc.tuple(text, fc.integer({ min: 0, max: 2 })), { freq: 9, nil: undefined });
    return fc.record({ originals: fc.constant(originals), output: fc.array(field, { maxLength: 12 }), cuts: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 }) }); // prettier-ignore
  })
  .map(({ originals, output, cuts }) => ({
    originals: originals.map((text) => toField(text, 0)),
    output: output.map((field) => (field ? toField(...field) : '\\N')),
    cuts,
  }));

describe(`the search in WebAssembly, seed ${seed}`, () => {
  it('finds what its slow twin finds', () => {
    fc.assert(
      fc.property(case_, ({ originals, output, cuts }) => {
        expect(searchFast(originals, output, cuts)).toEqual(searchSlowly(originals, output));
      }),
      { seed, numRuns: 3000 },
    );
  });

  it('finds addresses and numbers in texts of scripts that write without spaces', () => {
    const output = [
      '邮箱ada@corp.uk谢谢',
      '電話は070-123-4567です',
      'โทร0701234567นะ',
      'اكتبada@corp.ukالآن',
      'жada@corp.ukж',
      '我0701234567890',
    ];
    expect(searchFast(['ada@corp.uk', '070-123-4567'], output, [])).toEqual([0, 1, 2, 3]);
  });

  it('is tried with cells in which something is found, and with others', () => {
    const some = fc.sample(case_, { seed, numRuns: 300 });
    const found = some.reduce((sum, { originals, output }) => sum + searchSlowly(originals, output).length, 0);
    const all = some.reduce((sum, { output }) => sum + output.length, 0);
    expect(found / all).toBeGreaterThan(0.2);
    expect(found / all).toBeLessThan(0.9);
  });
});

/** Words of many scripts, of which some have capitals, some marks and some one letter. */
const scripts = ['Иван', 'ЇЖАК', 'Ἀθηνᾶς', 'ΓΙΏΡΓΟΣ', 'Łódź', 'ŠØRÉN', 'Սարգսյան', 'გიორგი', 'ᲒᲘ', '田中', '佐々木', 'タナカ', '김철수', '王', 'محمد', 'נועה', 'प्रिया', 'สมชาย', '٤٢', 'Ⅻ', '\ue000\ue001', '𠮷野', '𞤀𞤁', '🙂', '—', '´', 'x̌', 'ＡＢ１']; // prettier-ignore
const written = fc.array(fc.constantFrom(...scripts, 'a', '7', ' ', '-', '\\t'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')); // prettier-ignore
const value = fc.oneof(
  written,
  written,
  fc.constantFrom('\\N', '', '0', '-', 'a', 'A', 'ab1', 'AB1', 'mary', 'Mary', 'é', '\\t', '\\\\', 'a\\tb', '00', '12', '\\t\\n1'),
  fc.stringMatching(/^[A-Za-z]{2,20}$/),
  fc.stringMatching(/^\d{1,17}$/),
  fc.stringMatching(/^([a-z0-9]|\\\\|\\n){1,24}$/),
);
const table = fc
  .array(fc.tuple(value, value, fc.constantFrom('same', 'same', 'other', 'upper', 'gone', 'new')), { maxLength: 40 })
  .map((rows) => {
    const key = (i: number): string => `${i}`;
    const source = rows.flatMap(([one, , how], i): PairedRow[] => (how === 'new' ? [] : [{ key: key(i), value: one }]));
    const output = rows.flatMap(([one, two, how], i): PairedRow[] => {
      if (how === 'gone') return [];
      return [{ key: key(i), value: how === 'same' ? one : how === 'upper' && !one.includes('\\') ? one.toUpperCase() : two }];
    });
    return { source, output };
  });

const key = { flags: flags.key };
const pair = { flags: 0, pair: 1, unit: 1, ruleSeed: 77n, chance: { kind: 1, detail: 1, chance: 0 } } as const;

function pairFast(source: readonly PairedRow[], output: readonly PairedRow[], cuts: readonly number[]): Record<string, number> {
  const sides = [source, output].map(() => {
    const entries = [{ ...key }, { ...pair }];
    return { entries, at: tables.write(entries) };
  });
  kernel.beginPairs(1, false, false, 1000);
  kernel.beginUnits(0, 1);
  const toLines = (rows: readonly PairedRow[]): string[] => rows.map((row) => `${row.key}\t${row.value}`);
  feed(sides[0]?.at as number, true, toLines(source), cuts);
  feed(sides[1]?.at as number, false, toLines(output), cuts);
  const events = kernel.takeEvents();
  const at = sides.map(({ entries }) => (entries[1] as { counters?: number }).counters as number);
  const both = (counter: number): number => at.reduce((sum, one) => sum + kernel.counter(one, counter), 0);
  return {
    ...{ pairs: both(counters.pairs), units: both(counters.units) },
    ...{ fixed: events.filter(({ kind }) => kind === 'fixed').length, other: events.filter(({ kind }) => kind === 'other').length },
    ...{ nullsFilled: both(counters.nullsFilled), nullsMade: both(counters.nullsMade) },
    expected: at.reduce((sum, one) => sum + kernel.expected(one), 0),
  };
}

/** An original with two pseudonyms that have nothing to tell them by. */
const untold = {
  source: ['0', '1'].map((one) => ({ key: one, value: 'a\\tb' })),
  output: ['\\\\', '0'].map((value, at) => ({ key: String(at), value })),
};

describe(`the pairing in WebAssembly, seed ${seed}`, () => {
  it('counts what its slow twin counts', () => {
    fc.assert(
      fc.property(table, fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 3 }), ({ source, output }, cuts) => {
        const slow = pairSlowly(source, [...output], toSmall, 1);
        const fast = pairFast(source, output, cuts);
        expect({ ...fast, expected: 0 }).toEqual({ ...slow, expected: 0 });
        expect(fast['expected']).toBeCloseTo(slow.expected, 9);
      }),
      { seed, numRuns: 1500, examples: [[untold, []]] },
    );
  });
});

it('expects of no letter that is drawn that it comes out as it was more seldom than its alphabet says', () => {
  const { kinds, chances } = toLetterTable();
  const small = (code: number): number => toSmallLetter(String.fromCodePoint(code)).codePointAt(0) as number;
  const alphabets = new Map<number, Map<number, number>>();
  const lacking: string[] = [];
  for (let code = 0x80; code < TABLE_CODES; code++) {
    if ((code >= 0xd800 && code < 0xe000) || !isLetter(String.fromCodePoint(code))) continue;
    const first = toAlphabet(code);
    const size = toAlphabetSize(first);
    let same = alphabets.get(first);
    if (same === undefined) {
      alphabets.set(first, (same = new Map<number, number>()));
      for (let one = first; one < first + size; one++) same.set(small(one), (same.get(small(one)) ?? 0) + 1);
    }
    const expected = chances[kinds[small(code)] as number] as number;
    if (first < 0 || expected * size < (same.get(small(code)) as number) - 1e-9) lacking.push(code.toString(16));
  }
  expect(lacking).toEqual([]);
});
