// hot path: digit by digit. Country code, punctuation and the zero of a national number stay, every other digit is drawn; the result may be
// somebody's number, so the plan asks for a reason. Whatever is no digit and no punctuation of numbers (an extension, a remark) becomes x.
import { defineTransform } from '../transform.js';

const zero = 0x30;
/** What stands in written numbers; anything else that is no digit becomes x. */
const punctuation = Buffer.from(' ()+-./#*');

/** How many digits a country code has that begins with these two; ITU-T E.164 gives one to zones 1 and 7, and two to these. */
const twoDigits = [20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98]; // prettier-ignore
const codeLength = Uint8Array.from({ length: 100 }, (_, i) => (i < 20 || (i >= 70 && i < 80) ? 1 : twoDigits.includes(i) ? 2 : 3));

function isDigit(byte: number): boolean {
  return byte >= zero && byte < zero + 10;
}

/** Where the national number begins: after + or 00 and the country code, else at the first byte. */
function toNational(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (bytes[at] === 0x2b) at++;
  else if (bytes[at] === zero && bytes[at + 1] === zero && at + 2 < end) at += 2;
  else return start;
  const first = (bytes[at] as number) - zero;
  if (at >= end || first < 0 || first > 9) return at;
  const second = at + 1 < end ? (bytes[at + 1] as number) - zero : 0;
  const length = codeLength[first * 10 + (second >= 0 && second <= 9 ? second : 0)] as number;
  return Math.min(end, at + length);
}

export const phoneFormat = defineTransform({
  name: 'phone-format',
  summary: 'A number in the format of the original: country code and punctuation stay, digits are drawn. May be in service.',
  accepts: ['text'],
  params: {},
  scopes: ['value', 'subject', 'row'],
  uniqueness: 'not-guaranteed',
  reveals: ['equality', 'frequency', 'length', 'prefix', 'format'],
  space: () => 10n ** 6n,
  reversible: false,
  output: 'overlapping',
  fixedPoints: () => ({ drawn: 5 }),
  leavesReservedSpace: () => true,
  laws: () => [
    {
      law: 'characters',
      become: [
        ['[0-9]', '[0-9]'],
        ['[^ ()+\\-./#*]', 'x'],
      ],
    },
  ],
  plain: true,
  prepare: () => (column, context, out) => {
    const draw = context.draw();
    const { bytes: from } = column;
    for (let row = 0; row < column.rows; row++) {
      const start = column.starts[row] as number;
      const end = column.ends[row] as number;
      if (end === -1) {
        out.null(row);
        continue;
      }
      out.reserve(end - start);
      const { bytes } = out;
      let at = out.length;
      const national = toNational(from, start, end);
      let count = 0;
      for (let i = start; i < end; i++) {
        const byte = from[i] as number;
        if ((byte & 0xc0) === 0x80) continue;
        if (!isDigit(byte)) bytes[at++] = punctuation.includes(byte) ? byte : 0x78;
        else if (i < national || (count === 0 && byte === zero)) {
          bytes[at++] = byte;
          if (i >= national) count++;
        } else {
          // Beyond 16 digits no plan numbers anything; the draw is then read again, turned by one.
          const drawn = (draw[16 * row + (count & 15)] as number) + (count >> 4) * (draw[16 * row + ((count + 1) & 15)] as number);
          bytes[at++] = zero + (count === 0 ? 1 + (drawn % 9) : drawn % 10);
          count++;
        }
      }
      out.end(row, at);
    }
  },
});
