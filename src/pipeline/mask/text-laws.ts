// Laws that several transforms of texts declare.
import type { Law } from '../law.js';
import { isReservedDomain } from './reserved-domain.js';
import type { Params } from './transform.js';

/** Letters and digits became others of their kind, all else stayed. */
export const sameKinds: Law = {
  law: 'characters',
  become: [
    ['[0-9]', '[0-9]'],
    ['[a-z]', '[a-z]'],
    ['[A-Z]', '[A-Z]'],
    ['[^\\u0000-\\u007f]', '[^\\u0000-\\u007f]'],
  ],
};

/** The same where equal texts may differ in case, and all become small. */
export const sameKindsSmall: Law = {
  law: 'characters',
  become: [
    ['[0-9]', '[0-9]'],
    ['[A-Za-z]', '[a-z]'],
    ['[^\\u0000-\\u007f]', '[^\\u0000-\\u007f]'],
  ],
};

/** Where the parameter `domain` names one that reaches nobody. */
export function toDomainLaws(params: Params): readonly Law[] {
  return isReservedDomain(params['domain'] as string) ? [{ law: 'reserved-domain' }] : [];
}

/** A text as part of a regular expression. */
export function toExpression(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
