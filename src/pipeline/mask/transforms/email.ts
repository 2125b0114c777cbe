// A letter and 65 bits in base32 before a domain that reaches nobody: 26 bytes.
import { dressedToken } from '../dressed-token.js';
import { domainSchema, isReservedDomain } from '../reserved-domain.js';
import { defineTransform, toLiteral } from '../transform.js';
import { toDomainLaws, toExpression } from '../text-laws.js';

export const email = defineTransform({
  name: 'email',
  summary: 'An address of 14 random characters at a reserved domain.',
  accepts: ['text'],
  params: { domain: { schema: domainSchema, default: 'example.com', doc: 'What stands after the @. Outside RFC 2606 it takes a reason.' } },
  scopes: ['value', 'subject', 'row'],
  uniqueness: 'preserved',
  reveals: ['equality', 'frequency'],
  reversible: false,
  output: 'disjoint',
  pattern: (params) => `[a-p][a-z2-7]{0,13}@${toLiteral(params['domain'] as string)}`,
  fixedPoints: (params, type) => 1 / Number(email.space(params, type)),
  laws: (params) => [
    { law: 'form', form: `[a-p][a-z2-7]{0,13}@${toExpression(params['domain'] as string)}`, what: 'an address at the domain' },
    ...toDomainLaws(params),
  ],
  plain: true,
  leavesReservedSpace: (params) => !isReservedDomain(params['domain'] as string),
  ...dressedToken('an address at this domain', (params) => ({ before: '', after: `@${params['domain'] as string}` })),
});
