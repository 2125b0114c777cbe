// A column of stored passwords: every row gets the hash of the test password, or a dead hash, in the scheme of its own.
import type { EncryptBlocks } from '../permutation/ff1.js';
import type { Apply } from '../transform.js';
import { toTestPassword } from './password-schemes.js';

/** Salts per column: a slow scheme runs so many times, not once per row, and equal hashes still do not mean equal passwords. */
export const SALTS = 4;

export function toApplyPassword(password: string, room: number, encryptBlocks: EncryptBlocks): Apply {
  const salts = Array.from({ length: SALTS }, (_, i) =>
    Uint8Array.from(encryptBlocks(Uint8Array.from({ length: 16 }, (_, k) => (k === 0 ? 0xd0 + i : 0x5a)))),
  );
  // A slow hash is made once per scheme, cost and salt: what these are is in the text before the last two `$`.
  const made = new Map<string, string | undefined>();
  return (column, context, out) => {
    const draw = context.draw();
    for (let row = 0; row < column.rows; row++) {
      const end = column.ends[row] as number;
      if (end < 0) {
        out.null(row);
        continue;
      }
      const stored = Buffer.from(column.bytes.subarray(column.starts[row], end)).toString().trimEnd();
      const own = draw.slice(16 * row, 16 * row + 16);
      const which = (own[15] as number) % SALTS;
      let block = 0;
      const random = (length: number): Uint8Array => {
        const input = new Uint8Array(16 * Math.ceil(length / 16));
        for (let at = 0; at < input.length; at += 16) input.set([(own[0] as number) ^ ++block, ...own.subarray(1)], at);
        return encryptBlocks(input).slice(0, length);
      };
      const slow = /^(pbkdf2_|\$pbkdf2|\$scrypt)/.test(stored);
      const key = slow ? `${which} ${stored.length} ${stored.split('$').slice(0, 3).join('$')}` : '';
      if (!slow || !made.has(key)) made.set(key, toTestPassword(stored, { password, salt: salts[which] as Uint8Array, random }));
      const hash = made.get(key);
      if (hash === undefined || hash.length > room) return context.refuse(row);
      const text = Buffer.from(hash);
      out.copy(row, text, 0, text.length);
    }
  };
}
