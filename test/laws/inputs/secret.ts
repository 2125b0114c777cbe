import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: fc.stringMatching(/^(sk_live_|ghp_|whsec_|)[A-Za-z0-9]{24,36}$/) },
    { type: 'text', params: { kind: 'password-hash' }, value: fc.stringMatching(/^\$2b\$12\$[./A-Za-z0-9]{53}$/) },
    { type: 'varchar(60)', params: { kind: 'password-hash' }, value: fc.stringMatching(/^\{SSHA\}[A-Za-z0-9+/]{37}=$/) },
    { type: 'text', params: { kind: 'url' }, value: fc.webUrl({ withQueryParameters: true }) },
  ],
  refused: [{ type: 'text', params: { kind: 'password-hash' }, value: 'plain text password' }],
  misfits: [{ type: 'varchar(30)', params: { kind: 'url' } }],
};
