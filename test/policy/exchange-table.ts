// The decision table of the exchange of tokens: a situation, the question, and the codes of the reasons against it (none: allowed).
import { type Members, today } from './question.js';
import type { Row } from './decision-table.js';

const domain: Members = { reasonLength: 40, expiresDay: null, purposes: ['refunds'] };
const valid: Members = {
  ...{
    version: 1,
    today,
    nowMs: today * 86_400_000,
    action: 'detokenise',
    environment: 'dev',
    domain,
    purpose: 'refunds',
    reasonLength: 20,
  },
  ...{ count: 1, key: { version: 1, expiresAtMs: null }, roles: ['detokeniser@dev', 'viewer'] },
};
const asked = (change: Members): Members => ({ ...valid, ...change });

export const exchangeTable: readonly Row[] = [
  ['who may asks for what is named', valid, []],
  ['values become tokens', asked({ action: 'tokenise' }), []],
  [
    'nothing is asked',
    {},
    [
      ...['EXCHANGE_FACT_MISSING', 'EXCHANGE_DOMAIN_NOT_ALLOWED', 'EXCHANGE_PURPOSE_NOT_NAMED', 'EXCHANGE_REASON_MISSING'],
      ...['EXCHANGE_TOO_MANY', 'EXCHANGE_KEY_EXPIRED', 'EXCHANGE_ROLES_MIXED'],
    ],
  ],
  ['another thing is done', asked({ action: 'guess' }), ['EXCHANGE_FACT_MISSING']],
  ['the day is a text', asked({ today: '2026-11-21' }), ['EXCHANGE_FACT_MISSING', 'EXCHANGE_DOMAIN_NOT_ALLOWED']],
  ['the environment names no such domain', asked({ domain: null }), ['EXCHANGE_DOMAIN_NOT_ALLOWED', 'EXCHANGE_PURPOSE_NOT_NAMED']],
  ['the domain has no reason', asked({ domain: { ...domain, reasonLength: 0 } }), ['EXCHANGE_DOMAIN_NOT_ALLOWED']],
  ['the time of the domain is over', asked({ domain: { ...domain, expiresDay: today - 1 } }), ['EXCHANGE_DOMAIN_NOT_ALLOWED']],
  ['the domain names no purpose', asked({ domain: { ...domain, purposes: [] } }), ['EXCHANGE_PURPOSE_NOT_NAMED']],
  ['it is for another purpose', asked({ purpose: 'curiosity' }), ['EXCHANGE_PURPOSE_NOT_NAMED']],
  ['nobody says why', asked({ reasonLength: 7 }), ['EXCHANGE_REASON_MISSING']],
  ['the most at once', asked({ count: 10_000 }), []],
  ['one more than that', asked({ count: 10_001 }), ['EXCHANGE_TOO_MANY']],
  ['none at all', asked({ count: 0 }), ['EXCHANGE_TOO_MANY']],
  ['the key has expired', asked({ key: { version: 1, expiresAtMs: today * 86_400_000 } }), ['EXCHANGE_KEY_EXPIRED']],
  ['nobody knows whether it has', asked({ key: {} }), ['EXCHANGE_KEY_EXPIRED']],
  ['an operator asks', asked({ roles: ['detokeniser', 'operator'] }), ['EXCHANGE_ROLES_MIXED']],
  ['nobody in particular asks', asked({ roles: [] }), ['EXCHANGE_ROLES_MIXED']],
];
