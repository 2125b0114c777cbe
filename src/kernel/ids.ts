// Identifiers that sort by time and can stand in a database name: lower-case Crockford base 32, no personal data.
import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * A run id: 9 characters of time (ms, sorts until the year 3084) and 7 of randomness (35 bits), for example `0k7z3m1qa4v8x2yt`.
 * It fits a Postgres name beside 30 bytes of the target's name and `_bauta_` (63 bytes at most).
 */
export function newRunId(nowMs: number): string {
  return encode(BigInt(nowMs), 9) + encode(BigInt(`0x${randomBytes(5).toString('hex')}`), 7);
}

function encode(value: bigint, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) {
    text = (ALPHABET[Number(value & 31n)] ?? '') + text;
    value >>= 5n;
  }
  return text;
}
