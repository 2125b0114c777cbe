// Free text, character by character: letters become letters, digits digits, spaces and punctuation stay where they are, and no word
// or number stands where it stood. A letter beyond ASCII becomes an ASCII one: characters are counted, bytes are not. The letters come from a
// generator of 128 bits (Marsaglia's xorshift128) that the row's draw starts. It is no cipher and need not be: whoever ran it backwards would
// learn the draw, a pseudorandom function of the row's key that says nothing of the text.
import { kernel } from '../kernel/kernel.js';
import { defineTransform } from '../transform.js';

/** For each of 256 numbers a consonant, then for each a vowel, then for each a digit. */
const drawn = Buffer.concat(
  ['bcdfghjklmnprstvwz', 'aeiou', '0123456789'].map((set) =>
    Buffer.from(Array.from({ length: 256 }, (_, i) => set.charCodeAt((i * set.length) >> 8))),
  ),
);
export const replace = defineTransform({
  name: 'replace',
  summary: 'Words of the same lengths, digits for digits, punctuation and space kept: nothing of the original.',
  accepts: ['text'],
  params: {},
  scopes: ['row', 'subject', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: ['length', 'format'],
  // A text of one digit can become no more; a unique column takes another transform.
  space: () => 10n,
  reversible: false,
  output: 'overlapping',
  // No word and no number stands where it stood.
  fixedPoints: () => 0,
  laws: () => [
    {
      law: 'characters',
      become: [
        ['[0-9]', '[0-9]'],
        ['[a-z]', '[a-z]'],
        ['[A-Z]', '[A-Z]'],
        [
          '[^\\u0000-\\u007f\\u00a0\\u00a1\\u00a7\\u00ab\\u00b7\\u00bb\\u00bf\\u2000-\\u206f\\u20ac\\u3000-\\u3004\\u3008-\\u3011]',
          '[a-z]',
        ],
      ],
    },
  ],
  plain: false,
  prepare: () => {
    const alphabet = kernel().keep(drawn);
    return (column, context) => {
      const memory = kernel();
      const { rows, startsAt, endsAt } = memory.toMemory(column);
      const draws = memory.addressOf(context.draw());
      return memory.write(rows, (...to) => memory.calls.writeReplaced(startsAt, endsAt, rows, draws, alphabet, ...to), context.refuse);
    };
  },
});
