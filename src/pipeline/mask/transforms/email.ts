// hot path: one address per row, written byte by byte. A letter and 65 bits in base32 before a domain that reaches nobody: 26 bytes.
import type { DataType } from '../../catalogue.js';
import { domainSchema, isReservedDomain } from '../reserved-domain.js';
import { defineTransform, type Params } from '../transform.js';

/** One letter of 4 bits and 13 of 5 bits: 69 bits, of which a narrow column takes fewer. */
const fullLength = 14;
const letters = Buffer.from('abcdefghijklmnopqrstuvwxyz234567');

/** How many characters before the @ a column of this type has room for. */
function toLocalLength(type: DataType, params: Params): number {
  const room = type.base === 'name' ? 63 : (type.length ?? Infinity);
  return Math.min(fullLength, room - 1 - (params['domain'] as string).length);
}

export const email = defineTransform({
  name: 'email',
  summary: 'An address of 14 random characters at a reserved domain.',
  accepts: ['text'],
  params: { domain: { schema: domainSchema, default: 'example.com', doc: 'What stands after the @. Outside RFC 2606 it takes a reason.' } },
  scopes: ['value', 'subject', 'row'],
  uniqueness: 'preserved',
  reveals: ['equality', 'frequency'],
  space: (params, type) => 16n * 32n ** BigInt(Math.max(0, toLocalLength(type, params) - 1)),
  reversible: false,
  leavesReservedSpace: (params) => !isReservedDomain(params['domain'] as string),
  output: 'disjoint',
  produces: (value, params) => {
    const domain = Buffer.from(`@${params['domain'] as string}`);
    const local = value.length - domain.length;
    if (local < 1 || local > fullLength || domain.compare(value, local) !== 0) return false;
    if (letters.indexOf(value[0] as number) > 15) return false;
    return value.subarray(0, local).every((byte) => letters.includes(byte));
  },
  misfit: (type, params) =>
    toLocalLength(type, params) < 1 ? `an address at ${params['domain'] as string} does not fit ${type.display}` : undefined,
  plain: true,
  prepare: ({ params, type }) => {
    const local = toLocalLength(type, params);
    const domain = Buffer.from(`@${params['domain'] as string}`);
    const length = local + domain.length;
    return (column, context, out) => {
      const draw = context.draw();
      for (let row = 0; row < column.rows; row++) {
        if (column.ends[row] === -1) {
          out.null(row);
          continue;
        }
        out.reserve(length);
        const { bytes } = out;
        let at = out.length;
        let from = 16 * row;
        let held = draw[from++] as number;
        let bits = 4;
        bytes[at++] = letters[held >> 4] as number;
        for (let i = 1; i < local; i++) {
          if (bits < 5) {
            held = ((held & 0xff) << 8) | (draw[from++] as number);
            bits += 8;
          }
          bits -= 5;
          bytes[at++] = letters[(held >> bits) & 31] as number;
        }
        for (let i = 0; i < domain.length; i++) bytes[at++] = domain[i] as number;
        out.end(row, at);
      }
    };
  },
});
