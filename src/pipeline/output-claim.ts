// What a transform claims of its output, for who looks whether originals are in it: mask declares it, verify holds it to its word.

import type { Law } from './law.js';

export interface OutputClaim {
  /** `disjoint`: outputs are of a space that is told apart. `overlapping`: spread over the space of the originals. `kept`: some goes through. */
  readonly output: 'disjoint' | 'overlapping' | 'kept';
  /** For `disjoint`: the space as a pattern over small letters (verify/pattern.ts). It may take in more than the outputs, never less. */
  readonly pattern?: string;
  /** Is this text (unescaped bytes) of the output space? */
  produces(text: Uint8Array): boolean;
  /** Absent: nothing is claimed. */
  readonly fixedPoints?: FixedPoints;
  /** What every output keeps to. */
  readonly laws: readonly Law[];
  /** How many pseudonyms there are; 0n: as many as originals. */
  readonly space: bigint;
}

/**
 * How likely an original that holds something to mask comes out as it was: a chance that is never exceeded; or `drawn`: every letter and digit
 * is drawn, so 26 to the letters and 10 to the digits, but for so many digits that may be kept or determined; or all the texts that come out, each
 * with its chance.
 */
export type FixedPoints = number | { readonly drawn: number } | readonly (readonly [text: string, chance: number])[];
