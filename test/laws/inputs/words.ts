// Values for texts about people and places: what a name or address column holds, and what it should not hold but does.
import fc from 'fast-check';

const pieces = [
  'anna',
  'Müller',
  "O'Brien",
  'Łukasz',
  'van der',
  'Åse',
  '田中',
  'Jean-Luc',
  'Smith',
  'DE',
  'xiv',
  'Prof. Dr.',
  '12 Elm St',
  'نور',
  '🙂',
];

/** Words of very different lengths and scripts, and now and then any text at all. */
export const personalText: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(fc.oneof(fc.constantFrom(...pieces), fc.stringMatching(/^[A-Za-z]{1,9}$/)), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join(' ')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replaceAll('\u0000', ' ')) },
);

/** The same, cut to what a narrow column holds. */
export function narrow(length: number): fc.Arbitrary<string> {
  return personalText.map((text) => [...text].slice(0, length).join(''));
}
