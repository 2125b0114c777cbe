// What every detector is: a question about one value, and perhaps the same about a place in a longer text.

/** What a value is as its type says: the detectors of another kind are not asked. */
export type ValueKind = 'text' | 'number' | 'date';

export interface Detector {
  /** For people and machines: `content/iban`. */
  readonly rule: string;
  readonly tag: string;
  readonly kinds: readonly ValueKind[];
  /** How sure it is when every sampled value matches, from 0 to 1. */
  readonly confidence: number;
  /** Is the whole value one? The value is trimmed and at most VALUE_LIMIT long. MUST be linear in its length. */
  readonly matches: (value: string) => boolean;
  /**
   * Stands one somewhere in the text? MUST be linear: a fixed number of steps at each place. Only detectors that hardly ever err have it, because
   * a hit in a schema refuses a plan.
   */
  readonly isIn?: (text: string) => boolean;
}

/** Longer values are cut before a detector sees them. */
export const VALUE_LIMIT = 512;
