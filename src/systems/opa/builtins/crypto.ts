// crypto.* digests and HMACs.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import type { Builtin, Family } from './builtin.js';
import { textOf } from './operand.js';

const hash =
  (algorithm: string): Builtin =>
  ([text]) =>
    createHash(algorithm).update(textOf(text)).digest('hex');

const hmac =
  (algorithm: string): Builtin =>
  ([text, key]) =>
    createHmac(algorithm, textOf(key)).update(textOf(text)).digest('hex');

export const cryptoBuiltins: Family = {
  'crypto.md5': hash('md5'),
  'crypto.sha1': hash('sha1'),
  'crypto.sha256': hash('sha256'),
  'crypto.hmac.md5': hmac('md5'),
  'crypto.hmac.sha1': hmac('sha1'),
  'crypto.hmac.sha256': hmac('sha256'),
  'crypto.hmac.sha512': hmac('sha512'),
  'crypto.hmac.equal': ([first, second]) => {
    const [a, b] = [Buffer.from(textOf(first)), Buffer.from(textOf(second))];
    return a.length === b.length && timingSafeEqual(a, b);
  },
};
