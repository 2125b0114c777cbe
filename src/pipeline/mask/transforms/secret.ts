// What opens doors in production opens none in the copy. Stored passwords become that of one test password (secrets/password-schemes.ts), tokens and API
// keys keep the prefix that names their kind (`_live_` becomes `_test_`) and a body of the same pattern that nobody issued, callbacks lead to example.invalid.
import { copyAll } from '../permutation/decimal-key.js';
import { drawCharacters } from '../permutation/drawn-characters.js';
import { SALTS, toApplyPassword } from '../secrets/stored-passwords.js';
import { type Apply, defineTransform } from '../transform.js';
import { sameKinds, toExpression } from '../text-laws.js';

/** Prefixes that say what a token is: read, and written. Longest first where one begins another. */
const prefixes = [
  ...[
    'sk_live_',
    'pk_live_',
    'rk_live_',
    'live_',
    'sk_test_',
    'pk_test_',
    'rk_test_',
    'whsec_',
    'github_pat_',
    'ghp_',
    'gho_',
    'ghu_',
    'ghs_',
    'ghr_',
  ],
  ...[
    'glpat-',
    'xoxb-',
    'xoxp-',
    'xoxa-',
    'xapp-',
    'AKIA',
    'ASIA',
    'AIza',
    'SG.',
    'npm_',
    'pypi-',
    'dop_v1_',
    'shpat_',
    'hf_',
    'sk-ant-',
    'sk-proj-',
    'sk-',
  ],
].map((prefix) => ({ read: Buffer.from(prefix), write: Buffer.from(prefix.replace('live_', 'test_')) }));
const callback = 'https://example.invalid/';

export const secret = defineTransform({
  name: 'secret',
  summary: 'A password hash of the test password, a dead token of the same kind, or a callback address that does not exist.',
  accepts: ['text'],
  params: {
    kind: { schema: { enum: ['token', 'password-hash', 'url'] }, default: 'token', doc: 'What the column holds.' },
    password: {
      schema: { type: 'string', minLength: 8, maxLength: 64 },
      default: 'bauta-test-password',
      doc: 'The password of every account of the copy, where the scheme can be computed; known to the testers, so never one that is used elsewhere.',
    },
  },
  scopes: ['row'],
  uniqueness: 'not-guaranteed',
  reveals: ['length', 'format', 'prefix'],
  space: (params) => (params['kind'] === 'url' ? 2n ** 64n : params['kind'] === 'token' ? 0n : BigInt(SALTS)),
  reversible: false,
  output: 'overlapping',
  fixedPoints: (params) => (params['kind'] === 'url' ? 2 ** -64 : { drawn: 12 }),
  misfit: (type, params) =>
    params['kind'] === 'url' && (type.length ?? Infinity) < callback.length + 16
      ? `a callback address does not fit ${type.display}`
      : undefined,
  laws: ({ kind }) => {
    if (kind === 'password-hash') return [{ law: 'stored-password' }];
    if (kind === 'token') return [sameKinds];
    return [
      { law: 'form', form: `${toExpression(callback)}[0-9a-f]{16}`, what: 'an address that does not exist' },
      { law: 'reserved-domain' },
    ];
  },
  plain: false,
  prepare: ({ params, type, encryptBlocks }) => {
    if (params['kind'] === 'url') return applyUrl;
    if (params['kind'] === 'password-hash') return toApplyPassword(params['password'] as string, type.length ?? Infinity, encryptBlocks);
    return (column, context, out) => {
      copyAll(column, out, type.base === 'bpchar');
      const bodies = out.starts.slice(0, column.rows);
      for (let row = 0; row < column.rows; row++) {
        const value = out.bytes.subarray(out.starts[row], Math.max(0, out.ends[row] as number));
        const prefix = prefixes.find(({ read }) => read.length < value.length && read.compare(value, 0, read.length) === 0);
        if (!prefix) continue;
        value.set(prefix.write);
        bodies[row] = (bodies[row] as number) + prefix.write.length;
      }
      drawCharacters(encryptBlocks, context.draw(), out.bytes, bodies, out.ends, column.rows);
    };
  },
});

const applyUrl: Apply = (column, context, out) => {
  const draw = context.draw();
  for (let row = 0; row < column.rows; row++) {
    if (column.ends[row] === -1) {
      out.null(row);
      continue;
    }
    const text = Buffer.from(callback + Buffer.from(draw.subarray(16 * row, 16 * row + 8)).toString('hex'));
    out.copy(row, text, 0, text.length);
  }
};
