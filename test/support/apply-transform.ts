// Runs one transform over a list of strings as the mask stage would: builds the column, the draw (a plain AES-256-CMAC, RFC 4493, that shares
// nothing with the stage) and the writer, and reads the answer back. Hostile on purpose: values stand backwards with rubbish between
// them, and everything lent to the transform is overwritten when the call ends.
import { createCipheriv, createHmac } from 'node:crypto';
import type { Column } from '../../src/pipeline/batch.js';
import type { DataType } from '../../src/pipeline/catalogue.js';
import { ColumnWriter } from '../../src/pipeline/mask/column-writer.js';
import type { Companion, Params, Transform } from '../../src/pipeline/mask/transform.js';
import { kernel } from '../../src/pipeline/mask/kernel/kernel.js';
import { loadWords } from '../../src/pipeline/mask/words.js';

export interface Application {
  readonly params?: Params;
  readonly type: DataType;
  /** 32 bytes in hexadecimal. */
  readonly key: string;
  /** Default: `test`. */
  readonly domain?: string;
  /** Back, where it is reversible. */
  readonly back?: boolean;
  /** What the draw is a function of, per row; default: the value as its type compares it (scope `value`). */
  readonly seeds?: readonly (string | null)[];
  /** Lengths of the batches; default: one batch. The last one takes what is left. */
  readonly batches?: readonly number[];
  /** For `redact`: tag, originals and masked values of the other columns, as long as `values`. */
  readonly companions?: readonly { tag: string; original: readonly (string | null)[]; masked: readonly (string | null)[] }[];
}

/** A transform called `refuse`: `row` is the index in the list of values. */
export class Refused extends Error {
  constructor(readonly row: number) {
    super(`row ${row} refused`);
  }
}

export function applyTransform(transform: Transform, values: readonly (string | null)[], how: Application): (string | null)[] {
  const cipherKey = toKey(how.key, 'cipher');
  const prepare = how.back ? transform.reverse : transform.prepare;
  if (!prepare) throw new Error(`no way back from ${transform.name}`);
  const apply = prepare({
    params: withDefaults(transform, how.params ?? {}),
    type: how.type,
    domain: how.domain ?? 'test',
    encryptBlocks: (blocks) => encrypt(cipherKey, blocks),
    words: loadWords,
  });
  const seeds = how.seeds ?? values.map((value) => (value === null ? null : toComparedForm(value, how.type)));
  const writer = new ColumnWriter();
  const results: (string | null)[] = [];
  for (const [from, to] of toSlices(values.length, how.batches ?? [])) {
    const column = toColumn(values.slice(from, to));
    const companions = toCompanions(how.companions ?? [], from, to);
    let draws: Uint8Array | undefined;
    writer.reset(column.rows);
    kernel().begin();
    const masked = apply(
      column,
      {
        draw: () => (draws ??= toDraws(toKey(how.key, 'prf'), seeds.slice(from, to))),
        refuse: (row) => {
          throw new Refused(from + row);
        },
        companions,
      },
      writer,
    );
    results.push(...toStrings(masked ?? writer));
    draws?.fill(0xee);
    column.bytes.fill(0xee);
  }
  return results;
}

/** Parameters as the plan would give them: what the caller says, and the declared default for the rest. */
export function withDefaults(transform: Transform, params: Params): Params {
  const defaults = Object.entries(transform.params).flatMap(([name, spec]) => (spec.default === undefined ? [] : [[name, spec.default]]));
  return { ...(Object.fromEntries(defaults) as Params), ...params };
}

/** A column's type from the short form that vectors and law inputs use: `text`, `varchar(20)`, `char(5)`, `numeric(10,2)`, `int4`, `text[]`. */
export function toDataType(short: string): DataType {
  const common = { display: short, deterministicCollation: true };
  if (short.endsWith('[]')) {
    const element = toDataType(short.slice(0, -2));
    return { ...common, kind: 'array', base: element.base, element };
  }
  const match = /^(\w+)(?:\((\d+)(?:,(\d+))?\))?$/.exec(short);
  if (!match) throw new Error(`not a type: ${short}`);
  const [, name = '', first, second] = match;
  const base = name === 'char' ? 'bpchar' : name;
  if (base === 'numeric' && first !== undefined)
    return { ...common, kind: 'base', base, precision: Number(first), scale: Number(second ?? 0) };
  const length = first ?? (name === 'char' ? '1' : undefined);
  return { ...common, kind: 'base', base, ...(length === undefined ? {} : { length: Number(length) }) };
}

/** The text that the type compares: two values are equal for the server exactly if these are. */
export function toComparedForm(value: string, type: DataType): string {
  if (type.base === 'citext') return value.toLowerCase();
  if (type.base === 'bpchar') return value.replace(/ +$/, '');
  if (type.base === 'numeric') return value.includes('.') ? value.replace(/\.?0+$/, '').replace(/^-0$/, '0') : value;
  return value;
}

/** AES-256-CMAC of each text: 16 bytes a row. */
export function toDraws(key: Uint8Array, seeds: readonly (string | null)[]): Uint8Array {
  const [k1, k2] = toSubkeys(key);
  const draws = new Uint8Array(16 * seeds.length).fill(0xdd);
  seeds.forEach((seed, row) => {
    if (seed !== null) draws.set(toCmac(key, k1, k2, Buffer.from(seed)), 16 * row);
  });
  return draws;
}

function toCmac(key: Uint8Array, k1: Uint8Array, k2: Uint8Array, message: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(message.length / 16));
  const padded = new Uint8Array(16 * blocks);
  padded.set(message);
  const whole = message.length === 16 * blocks;
  if (!whole) padded[message.length] = 0x80;
  const subkey = whole ? k1 : k2;
  for (let i = 0; i < 16; i++) padded[padded.length - 16 + i]! ^= subkey[i]!;
  const cipher = createCipheriv('aes-256-cbc', key, new Uint8Array(16));
  return cipher.update(padded).subarray(-16);
}

function toSubkeys(key: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const double = (block: Uint8Array): Uint8Array => {
    const doubled = block.map((byte, i) => (byte << 1) | ((block[i + 1] ?? 0) >> 7));
    if (block[0]! & 0x80) doubled[15]! ^= 0x87;
    return doubled;
  };
  const k1 = double(Uint8Array.from(encrypt(key, new Uint8Array(16))));
  return [k1, double(k1)];
}

function encrypt(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  return createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(blocks);
}

function toKey(hex: string, purpose: string): Uint8Array {
  return createHmac('sha256', Buffer.from(hex, 'hex')).update(purpose).digest();
}

function toSlices(rows: number, batches: readonly number[]): [number, number][] {
  const slices: [number, number][] = [];
  let from = 0;
  for (const length of batches) {
    const to = Math.min(rows, from + length);
    slices.push([from, to]);
    from = to;
  }
  if (from < rows || slices.length === 0) slices.push([from, rows]);
  return slices;
}

function toCompanions(all: NonNullable<Application['companions']>, from: number, to: number): Companion[] {
  return all.map(({ tag, original, masked }) => ({
    tag,
    original: toColumn(original.slice(from, to)),
    masked: toColumn(masked.slice(from, to)),
  }));
}

export function toColumn(values: readonly (string | null)[]): Column {
  const encoded = values.map((value) => (value === null ? null : Buffer.from(value)));
  const bytes = new Uint8Array(encoded.reduce((sum, value) => sum + (value?.length ?? 0) + 3, 3)).fill(0x58);
  const starts = new Int32Array(values.length + 2);
  const ends = new Int32Array(values.length + 2);
  let at = 2;
  for (let row = values.length - 1; row >= 0; row--) {
    const value = encoded[row];
    starts[row] = at;
    ends[row] = value ? at + value.length : -1;
    if (value) bytes.set(value, at);
    at += (value?.length ?? 0) + 3;
  }
  return { rows: values.length, bytes, starts, ends };
}

function toStrings(column: Column): (string | null)[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return Array.from({ length: column.rows }, (_, row) =>
    column.ends[row] === -1 ? null : decoder.decode(column.bytes.subarray(column.starts[row], column.ends[row])),
  );
}
