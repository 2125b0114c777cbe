// The extension everybody will write: what a transform is, what it must declare, and what it is given. See docs/adding/a-transform.md.
import type { Json } from '../../kernel/canonical-json.js';
import type { Column } from '../batch.js';
import type { DataType } from '../catalogue.js';
import type { Scope } from '../definition.js';
import type { Law } from '../law.js';
import type { FixedPoints } from '../output-claim.js';
import type { Reveal, Uniqueness } from '../plan.js';
import type { ColumnWriter } from './column-writer.js';

/** Families of types, by `DataType.base`; the table is in type-family.ts. */
export type TypeFamily =
  | 'text' // text, varchar, bpchar, citext, name
  | 'integer' // int2, int4, int8, oid
  | 'number' // numeric, float4, float8, money
  | 'date'
  | 'timestamp' // timestamp, timestamptz
  | 'time'
  | 'interval'
  | 'uuid'
  | 'inet' // inet, cidr
  | 'mac'
  | 'json' // json, jsonb
  | 'bytea'
  | 'boolean'
  | 'enum'
  | 'any';

export type Params = Readonly<Record<string, Json>>;

/** One parameter: its JSON Schema (draft 2020-12 fragment), default and one line of documentation. Without default it is required. */
export interface ParamSpec {
  readonly schema: Readonly<Record<string, Json>>;
  readonly default?: Json;
  readonly doc: string;
}

export interface Transform {
  /** kebab-case; equals the file's name. */
  readonly name: string;
  /** One line for docs/transforms.md. */
  readonly summary: string;
  readonly accepts: readonly TypeFamily[];
  readonly params: Readonly<Record<string, ParamSpec>>;
  /** Scopes that make sense; the first is the default when the rulebook names none. */
  readonly scopes: readonly [Scope, ...Scope[]];
  /** `preserved` means a bijection, or distinct outputs up to the collision bound that `space` gives (n² / 2·space). No default. */
  readonly uniqueness: Uniqueness;
  /** The uniqueness with these parameters, where a parameter changes it; absent: `uniqueness`, which is the weaker one. */
  uniquenessWith?(params: Params): Uniqueness;
  /** What the output lets through about the input. Tested by the laws. */
  readonly reveals: readonly Reveal[];
  /** How many pseudonyms there are for this type; 0n: as many as the domain it permutes (a bijection), never too few. */
  space(params: Params, type: DataType): bigint;
  /**
   * Who may can have originals back (`POST /v1/detokenize`): the key is of the hierarchy `token`, the target has to name the rule's domain and its
   * sources, and `reverse` is there. A permutation that Bauta offers no way back from (`text-key`) is not reversible.
   */
  readonly reversible: boolean;
  /** False where no key enters (null, fixed value, keep, truncate, generalise): the output is the same under every key. Absent: keyed. */
  readonly keyed?: false;
  /** True when with these parameters a fake can reach somebody (a real domain, a number in service): the plan asks for a reason. Absent: never. */
  leavesReservedSpace?(params: Params): boolean;
  /**
   * Whether an original can stand in the output by chance. `disjoint`: `produces` accepts every output, and an original that `produces`
   * rejects can never appear (reserved space). `overlapping`: outputs are spread over the space of the originals. `kept`: (part of) the
   * original goes through on purpose.
   */
  readonly output: 'disjoint' | 'overlapping' | 'kept';
  /** The same with these parameters, where one makes less of it; absent: `output`. */
  outputWith?(params: Params): Transform['output'];
  /** For `disjoint`: is this text (unescaped bytes of one value) in the output space? MUST be true of every output. */
  produces?(value: Uint8Array, params: Params): boolean;
  /** For `disjoint`: what every output looks like in small letters (OutputClaim). It may take in more than the outputs, never less. */
  pattern?(params: Params): string;
  /** How likely an original comes out as it was (OutputClaim). Absent: part of it goes through on purpose, and nothing is claimed. */
  fixedPoints?(params: Params, type: DataType): FixedPoints;
  /** What every output keeps to (law.ts): the verification holds a sample of each copy to it. Empty: nothing can be said. No default. */
  laws(params: Params, type: DataType): readonly Law[];
  /** A sentence when this type cannot hold the output (too short, wrong family detail), else undefined. Checked at plan time. */
  misfit?(type: DataType, params: Params): string | undefined;
  /** True when no output ever holds a byte that COPY text escapes (backslash, tab, newline, carriage return, other control bytes). */
  readonly plain: boolean;
  /** Called once per column and thread; what it returns is called once per batch. */
  prepare(this: void, spec: TransformSpec): Apply;
  /** Of what is reversible: the inverse of what `prepare` returns. Refuses what no original came out as. */
  reverse?(this: void, spec: TransformSpec): Apply;
}

export interface TransformSpec {
  readonly params: Params;
  readonly type: DataType;
  /** The rule's. */
  readonly domain: string;
  /** AES-256 in ECB over whole blocks of 16 bytes, under the rule's `cipher` key (`token` where it is reversible): the round function of permutations (FF1). One call a round. */
  readonly encryptBlocks: (blocks: Uint8Array) => Uint8Array;
  /** A word table committed under words/. */
  words(this: void, name: string): WordTable;
}

/** Words as bytes: word i is `bytes[offsets[i] .. offsets[i + 1])`. UTF-8, no word holds a byte that COPY escapes. */
export interface WordTable {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly offsets: Int32Array;
}

/**
 * One call per column and batch. MUST write every row of `column` in order to `out`, NULL for NULL. MUST NOT keep `column`, MUST NOT look at
 * the clock or at Math.random. MAY return the masked column instead of writing it, as those do that run in the kernel. MAY be called again with the same
 * column. A function of (value or draw, parameters, key) only: never of the row's number, batch or thread.
 */
export type Apply = (column: Column, context: ApplyContext, out: ColumnWriter) => Column | void;

export interface ApplyContext {
  /**
   * 16 pseudorandom bytes per row (row i at 16·i): AES-256-CMAC of the row's seed under the rule's `prf` key. The seed is the value in
   * canonical form (scope `value`), the person's key (`subject`) or column and row key (`row`). Made on the first call; bytes of NULL rows mean nothing.
   * The array is scratch: valid until the call ends.
   */
  draw(): Uint8Array;
  /** Stops the run: the value of this row (index in the column) does not fit. Says where, never what. */
  refuse(this: void, row: number): never;
  /** For transforms that declare nothing: the other tagged columns of the same rows, original and masked. Only `redact` looks at them. */
  readonly companions: readonly Companion[];
}

export interface Companion {
  readonly tag: string;
  readonly original: Column;
  readonly masked: Column;
}

export function defineTransform(transform: Transform): Transform {
  return Object.freeze(transform);
}

/** A text as a pattern that takes it in small letters; beyond ASCII any bytes of the same length do. */
export function toLiteral(text: string): string {
  const toSign = (sign: string): string =>
    sign > '\u007f' ? '.'.repeat(Buffer.byteLength(sign)) : /[a-z0-9]/.test(sign) ? sign : `\\${sign}`;
  return [...text].map((sign) => toSign(sign.replace(/[A-Z]/, (capital) => capital.toLowerCase()))).join('');
}
