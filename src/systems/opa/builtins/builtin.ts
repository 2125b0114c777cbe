// What a built-in is.
import type { Value } from '../value.js';
import type { Args } from './operand.js';

/** What a decision's record holds, and nothing else of the world. */
export interface Asked {
  /** When the decision is taken. */
  readonly nowNs: bigint;
  /** The decision's id: what is random in OPA is derived from it. */
  readonly seed: string;
}

/** Undefined: no result. Throws BuiltinError for what OPA calls an error of the built-in, which is undefined too. */
export type Builtin = (args: Args, asked: Asked) => Value | undefined;

export type Family = Readonly<Record<string, Builtin>>;
