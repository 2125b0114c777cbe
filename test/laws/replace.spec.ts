// The sentence of the contract on free text: words of the same lengths, nothing of the original.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { replace } from '../../src/pipeline/mask/transforms/replace.js';
import { applyTransform, toDataType } from '../support/apply-transform.js';
import { personalText } from './inputs/words.js';

const text = toDataType('text');

function replaced(value: string, row: string): string {
  const [output] = applyTransform(replace, [value], { key: 'd4'.repeat(32), type: text, seeds: [row] });
  return output as string;
}

/** Words and numbers with the place (in characters) where they stand. */
function toWords(value: string): Map<number, string> {
  const characters = [...value];
  const words = new Map<number, string>();
  for (let at = 0; at < characters.length;) {
    const kind = /[\p{L}\p{M}\p{S}\p{N}]/u;
    let end = at;
    while (end < characters.length && kind.test(characters[end] as string)) end++;
    if (end > at) words.set(at, characters.slice(at, end).join('').toLowerCase());
    at = Math.max(end, at + 1);
  }
  return words;
}

describe('replace', () => {
  it('keeps the number of characters, and no word or number at its place', () => {
    const words = fc.stringMatching(/^([a-zA-Z]{1,3} |\d{1,3} |[a-z]{4,9}, ){1,9}$/);
    fc.assert(
      fc.property(fc.oneof(words, personalText), fc.string(), (value, row) => {
        const output = replaced(value, row);
        expect([...output].length).toBe([...value].length);
        const after = toWords(output);
        // Symbols such as + are kept; only what holds a letter or digit is a word.
        for (const [at, word] of toWords(value)) if (/[\p{L}\p{N}]/u.test(word)) expect([at, after.get(at)]).not.toEqual([at, word]);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps spaces, punctuation, line ends and capitals where they stood', () => {
    expect(replaced('Ring ANNA (070-123), nu!\n\t– «Åsa»', 'row 7')).toMatch(
      /^[A-Z][a-z]{3} [A-Z]{4} \(\d{3}-\d{3}\), [a-z]{2}!\n\t– «[a-z]{3}»$/,
    );
  });

  it('lets no letter through that is not ASCII, whatever the script', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (value) => {
        expect(replaced(value.replaceAll('\u0000', ''), 'row 8')).not.toMatch(/[^\P{L}a-zA-Z]|[^\P{N}0-9]/u);
      }),
      { numRuns: 500 },
    );
  });
});
