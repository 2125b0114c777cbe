// What the laws need to know of a transform that its declaration does not say: which values are valid, in which columns. One file per
// transform beside this one, `<name>.ts`, exporting `inputs`; a transform without one fails the laws.
import type fc from 'fast-check';
import type { Params } from '../../../src/pipeline/mask/transform.js';

export interface LawCase {
  /** Short form, see toDataType: `text`, `varchar(20)`, `numeric(10,2)`. */
  readonly type: string;
  /** Defaults are filled in. */
  readonly params?: Params;
  /** Valid values of this type. MUST be varied: the laws look at how outputs depend on them. */
  readonly value: fc.Arbitrary<string>;
  /** Another valid value for each number, where `value` is slow: for tables of a million rows. */
  readonly another?: (value: string, i: number) => string;
  /** Other columns of the same row, as a function of the value; only `redact` looks at them. */
  readonly companions?: (value: string) => readonly { tag: string; original: string | null; masked: string | null }[];
}

export interface LawInputs {
  readonly cases: readonly [LawCase, ...LawCase[]];
  /** Values that MUST be refused. */
  readonly refused?: readonly { readonly type: string; readonly params?: Params; readonly value: string }[];
  /** Types that MUST be called a misfit at plan time. */
  readonly misfits?: readonly { readonly type: string; readonly params?: Params }[];
}
