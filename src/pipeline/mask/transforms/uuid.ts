// hot path: 122 bits of the draw as a UUID (RFC 9562), in the layout of the original: hyphens, braces and case stay as they are.
import { defineTransform } from '../transform.js';

const lower = Buffer.from('0123456789abcdef');
const upper = Buffer.from('0123456789ABCDEF');

export const uuid = defineTransform({
  name: 'uuid',
  summary: 'A random UUID with valid version and variant.',
  accepts: ['uuid', 'text'],
  params: {
    version: {
      schema: { enum: ['4', 'keep'] },
      default: '4',
      doc: '`keep` gives the version digit of the original, and random bits for whatever it holds (a time, an address); `4` is what random UUIDs have.',
    },
  },
  scopes: ['value', 'subject', 'row'],
  uniqueness: 'preserved',
  reveals: ['equality', 'frequency', 'length', 'format'],
  space: () => 2n ** 122n,
  reversible: false,
  output: 'overlapping',
  fixedPoints: () => 2 ** -118,
  misfit: (type) => (type.base !== 'uuid' && (type.length ?? 36) < 32 ? `a UUID does not fit ${type.display}` : undefined),
  laws: (params) => [
    { law: 'characters', become: [['[0-9A-Fa-f]', '[0-9A-Fa-f]']] },
    {
      law: 'form',
      form: `\\{?(-?[0-9A-Fa-f]){12}-?${params['version'] === 'keep' ? '[0-9A-Fa-f]' : '4'}(-?[0-9A-Fa-f]){3}-?[89ABab](-?[0-9A-Fa-f]){15}\\}?`,
      what: 'version and variant of RFC 9562',
    },
  ],
  plain: true,
  prepare: ({ params, type }) => {
    const keep = params['version'] === 'keep';
    return (column, context, out) => {
      const draw = context.draw();
      for (let row = 0; row < column.rows; row++) {
        const start = column.starts[row] as number;
        let end = column.ends[row] as number;
        if (end < 0) {
          out.null(row);
          continue;
        }
        if (type.base === 'bpchar') while (end > start && column.bytes[end - 1] === 0x20) end--;
        out.reserve(end - start);
        const { bytes } = out;
        let at = out.length;
        let digit = 0;
        const digits = isUpper(column.bytes, start, end) ? upper : lower;
        for (let i = start; i < end; i++) {
          const code = column.bytes[i] as number;
          const letter = (code >= 0x61 && code <= 0x66) || (code >= 0x41 && code <= 0x46);
          if (letter || (code >= 0x30 && code <= 0x39)) {
            let nibble = ((draw[16 * row + ((digit >> 1) & 15)] as number) >> (digit % 2 === 0 ? 4 : 0)) & 15;
            if (digit === 12) nibble = keep ? (letter ? (code & 0x0f) + 9 : code & 0x0f) : 4;
            if (digit === 16) nibble = 8 | (nibble & 3);
            bytes[at++] = digits[nibble] as number;
            digit++;
          } else if (code === 0x2d || (code === 0x7b && i === start) || (code === 0x7d && i === end - 1)) bytes[at++] = code;
          else context.refuse(row);
        }
        if (digit !== 32) context.refuse(row);
        out.end(row, at);
      }
    };
  },
});

/** Upper case if the first letter is. */
function isUpper(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((bytes[i] as number) >= 0x41) return (bytes[i] as number) <= 0x46;
  return false;
}
