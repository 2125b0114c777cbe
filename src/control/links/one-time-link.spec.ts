import { expect, it } from '@jest/globals';

import { makeLink, seal, unseal } from './one-time-link.js';

it('opens with its secret and id, and with nothing else', () => {
  const [link, other] = [makeLink(), makeLink()];
  const sealed = seal(link.key, 'a', 'postgres://…');
  expect(unseal(link.secret, 'a', sealed)).toBe('postgres://…');
  expect(() => unseal(other.secret, 'a', sealed)).toThrow();
  expect(() => unseal(link.secret, 'b', sealed)).toThrow();
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at]! ^= 1;
    // The highest bit of an X25519 key counts for nothing (RFC 7748), but the key as it was sent is bound in.
    expect(() => unseal(link.secret, 'a', changed)).toThrow();
  }
});

it('seals the same text to other bytes each time, and its secret has 256 bits', () => {
  const { key, secret } = makeLink();
  expect(seal(key, 'a', 'x').equals(seal(key, 'a', 'x'))).toBe(false);
  expect(Buffer.from(secret.slice(5), 'base64url')).toHaveLength(32);
});
