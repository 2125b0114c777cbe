// hot path: the draw itself, printed: a token without form, for keys and references that only need to stay distinct.
import { defineTransform, type Params } from '../transform.js';

const alphabets: Readonly<Record<string, Uint8Array>> = {
  hex: Buffer.from('0123456789abcdef'),
  base32: Buffer.from('abcdefghijklmnopqrstuvwxyz234567'),
};

function toBits(params: Params): number {
  return params['encoding'] === 'hex' ? 4 : 5;
}

function toLength(params: Params): number {
  return params['length'] as number;
}

export const hashToken = defineTransform({
  name: 'hash-token',
  summary: 'A token of hexadecimal or base32 characters.',
  accepts: ['text'],
  params: {
    encoding: { schema: { enum: ['hex', 'base32'] }, default: 'hex', doc: 'hex: 4 bits a character; base32 (a to z, 2 to 7): 5 bits.' },
    length: {
      schema: { type: 'integer', minimum: 16, maximum: 32 },
      default: 32,
      doc: 'Characters: 16 to 32 of hex, 16 to 25 of base32 (64 to 128 bits).',
    },
  },
  scopes: ['value', 'subject', 'row'],
  uniqueness: 'preserved',
  reveals: ['equality', 'frequency'],
  space: (params) => 2n ** BigInt(toBits(params) * toLength(params)),
  reversible: false,
  output: 'disjoint',
  pattern: (params) => `[${params['encoding'] === 'hex' ? '0-9a-f' : 'a-z2-7'}]{${toLength(params)}} *`,
  fixedPoints: (params, type) => 1 / Number(hashToken.space(params, type)),
  produces: (value, params) => {
    const alphabet = alphabets[params['encoding'] as string] as Uint8Array;
    // char(n) is padded when it is read back.
    return value.every((byte, i) => (i < toLength(params) ? alphabet.includes(byte) : byte === 0x20)) && value.length >= toLength(params);
  },
  misfit: (type, params) => {
    if (toBits(params) * toLength(params) > 128)
      return `a token has 128 bits at most: ${Math.floor(128 / toBits(params))} characters of this encoding`;
    const room = type.base === 'name' ? 63 : (type.length ?? Infinity);
    return room < toLength(params) ? `${toLength(params)} characters do not fit ${type.display}` : undefined;
  },
  laws: (params) => [
    {
      law: 'form',
      form: `[${params['encoding'] === 'hex' ? '0-9a-f' : 'a-z2-7'}]{${toLength(params)}}`,
      what: 'characters of its alphabet',
    },
  ],
  plain: true,
  prepare: ({ params }) => {
    const alphabet = alphabets[params['encoding'] as string] as Uint8Array;
    const width = toBits(params);
    const length = toLength(params);
    return (column, context, out) => {
      const draw = context.draw();
      for (let row = 0; row < column.rows; row++) {
        if (column.ends[row] === -1) {
          out.null(row);
          continue;
        }
        out.reserve(length);
        let from = 16 * row;
        let held = 0;
        let bits = 0;
        for (let i = 0; i < length; i++) {
          if (bits < width) {
            held = ((held & 0xff) << 8) | (draw[from++] as number);
            bits += 8;
          }
          bits -= width;
          out.bytes[out.length + i] = alphabet[(held >> bits) & ((1 << width) - 1)] as number;
        }
        out.end(row, out.length + length);
      }
    };
  },
});
