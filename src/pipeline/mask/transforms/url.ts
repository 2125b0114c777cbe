// A host of its own below a domain that reaches nobody. Scheme, path and query of the original are gone: they hold names and tokens.
import { dressedToken } from '../dressed-token.js';
import { domainSchema, isReservedDomain } from '../reserved-domain.js';
import { defineTransform, toLiteral } from '../transform.js';
import { toDomainLaws, toExpression } from '../text-laws.js';

export const url = defineTransform({
  name: 'url',
  summary: 'An https address with a random host below a reserved domain.',
  accepts: ['text'],
  params: { domain: { schema: domainSchema, default: 'example.com', doc: 'The parent domain. Outside RFC 2606 it takes a reason.' } },
  scopes: ['value', 'subject', 'row'],
  uniqueness: 'preserved',
  reveals: ['equality', 'frequency'],
  reversible: false,
  output: 'disjoint',
  pattern: (params) => `https://[a-p][a-z2-7]{0,13}\\.${toLiteral(params['domain'] as string)}/?`,
  fixedPoints: (params, type) => 1 / Number(url.space(params, type)),
  laws: (params) => [
    {
      law: 'form',
      form: `https://[a-p][a-z2-7]{0,13}\\.${toExpression(params['domain'] as string)}/`,
      what: 'an address below the domain',
    },
    ...toDomainLaws(params),
  ],
  plain: true,
  leavesReservedSpace: (params) => !isReservedDomain(params['domain'] as string),
  ...dressedToken('an address below this domain', (params) => ({ before: 'https://', after: `.${params['domain'] as string}/` })),
});
