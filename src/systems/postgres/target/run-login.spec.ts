import { expect, it } from '@jest/globals';

import { createRunLogin, toVerifier } from './run-login.js';

it('makes the verifier that RFC 7677 §3 implies for its example', () => {
  // The RFC's example exchange (user "user", password "pencil"): its proofs verify against these two keys.
  const verifier = toVerifier('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'));
  expect(verifier).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});

it('gives every run another password, and no trace of it in the verifier', () => {
  const [first, second] = [createRunLogin(), createRunLogin()];
  expect(first.password).not.toBe(second.password);
  expect(first.password.length).toBeGreaterThanOrEqual(43);
  expect(first.verifier).not.toContain(first.password);
});
