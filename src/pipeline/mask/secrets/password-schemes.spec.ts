import { createHash, pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { toTestPassword } from './password-schemes.js';

const context = { password: 'open sesame', salt: randomBytes(16), random: (length: number): Uint8Array => randomBytes(length) };
const make = (stored: string): string => toTestPassword(stored, context) ?? 'unknown';

describe('stored passwords', () => {
  it('of Django, passlib, LDAP and plain digests verify with the test password', () => {
    const [, rounds = '', salt = '', hash] = make('pbkdf2_sha256$1200$abcdef$AAAA=').split('$');
    expect(pbkdf2Sync('open sesame', salt, Number(rounds), 32, 'sha256').toString('base64')).toBe(hash);
    expect(salt).toHaveLength(6);

    const [, , , salted = '', sealed] = make('$pbkdf2-sha512$1000$c2FsdA$AAAA').split('$');
    const decoded = Buffer.from(salted.replaceAll('.', '+'), 'base64');
    expect(pbkdf2Sync('open sesame', decoded, 1000, 64, 'sha512').toString('base64').replaceAll('+', '.').replace(/=+$/, '')).toBe(sealed);

    const scrypt = make('$scrypt$ln=10,r=8,p=1$c2FsdA$AAAA').split('$');
    const key = scryptSync('open sesame', Buffer.from(scrypt[3] ?? '', 'base64'), 32, { N: 1024, r: 8, p: 1 });
    expect(Buffer.from(scrypt[4] ?? '', 'base64').equals(key)).toBe(true);

    const ssha = Buffer.from(make('{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3').slice(6), 'base64');
    expect(createHash('sha1').update('open sesame').update(ssha.subarray(20)).digest().equals(ssha.subarray(0, 20))).toBe(true);
    expect(make('5f4dcc3b5aa765d61d8327deb882cf99')).toBe(createHash('md5').update('open sesame').digest('hex'));
  });

  it('of bcrypt, Argon2 and crypt become well-formed dead hashes with nothing of the original', () => {
    const bcrypt = '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW';
    for (let i = 0; i < 50; i++) {
      // 22 characters hold 128 bits and 31 hold 184: canonical encodings end in these only.
      expect(make(bcrypt)).toMatch(/^\$2b\$12\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/);
      const hash = make('$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b27aRgAE1xPyvpx+yNeGHBI5bM');
      const [, , , , salt = '', sealed = ''] = hash.split('$');
      for (const part of [salt, sealed]) expect(Buffer.from(part, 'base64').toString('base64').replace(/=+$/, '')).toBe(part);
    }
    expect(make(bcrypt).slice(7)).not.toBe(bcrypt.slice(7));
  });

  it('of a scheme that is not known are not let through', () => {
    expect(toTestPassword('hunter2', context)).toBeUndefined();
    expect(toTestPassword('$7$unknown', context)).toBeUndefined();
    expect(make('!locked')).toBe('!');
  });
});
