// The laws that a transform declares, held against outputs one by one: with code that shares nothing with the transforms'.
import type { DataType } from '../../catalogue.js';
import type { Law } from '../../law.js';
import { fromLuhn, fromMod97 } from './check-digits.js';
import { isCohortKept, isMoved, isPeriodOf } from './days.js';
import { isBandOf, isMagnitudeKept, isNear } from './numbers.js';
import { isFormKept, isOfNetwork, isSchemeKept, reachesNobody } from './texts.js';

export { type Bindings, findDisagreement, toBindings } from './words.js';

/** In a few words, for findings and verdicts. */
export function toName(law: Law): string {
  if (law.law === 'check-digits' && law.as === 'token') return 'a check digit that no card number has';
  if (law.law === 'check-digits')
    return `check digits of ${law.of === 'iban' ? 'IBANs' : 'card numbers'}${law.as === 'valid' ? '' : ' as far from right'}`;
  if (law.law === 'form') return law.what;
  const names: Readonly<Record<Exclude<Law['law'], 'check-digits' | 'form'>, string>> = {
    characters: 'each character of its kind',
    beginning: 'the same beginning',
    cut: 'the first characters, no more',
    words: 'words of the tables',
    'reserved-domain': 'a domain that reaches nobody',
    network: 'a network that is never routed, with the mask',
    'stored-password': 'a password stored in the same scheme',
    text: 'the fixed text',
    null: 'no value',
    unchanged: 'unchanged',
    magnitude: 'the same sign and number of digits',
    near: 'the same sign, not too far away',
    band: 'the beginning of its band',
    period: 'the beginning of its period',
    cohort: 'the same birth cohort, at midnight',
    moved: 'another day, not too far away, at the same time',
  };
  return names[law.law];
}

/** Whether only the output is looked at. */
export function isOfOutput(law: Law): boolean {
  return ['form', 'words', 'reserved-domain', 'text', 'null'].includes(law.law) || (law.law === 'check-digits' && law.as !== 'original');
}

/** Whether an output keeps to a law (of words: toBindings); `original` may be left out where only the output is looked at. Undefined: the original is none that can be read. */
export function holds(law: Exclude<Law, { law: 'words' }>, type: DataType, output: string, original = ''): boolean | undefined {
  switch (law.law) {
    case 'check-digits': {
      const from = law.of === 'luhn' ? fromLuhn : fromMod97;
      if (law.as === 'token') return from(output) === 5;
      return law.as === 'valid' ? from(output) === 0 : from(original) === from(output);
    }
    case 'form':
      return toExpression(law.form).test(output);
    case 'characters':
      return isFormKept(law.become, original, output);
    case 'beginning':
      return [...output].slice(0, law.length).join('').toLowerCase() === [...original].slice(0, law.length).join('').toLowerCase();
    case 'cut':
      return output === [...original].slice(0, law.length).join('');
    case 'reserved-domain':
      return reachesNobody(output);
    case 'network':
      return isOfNetwork(law.networks, original, output, type.base === 'cidr');
    case 'stored-password':
      return isSchemeKept(original, output);
    case 'text':
      return output === law.text;
    case 'null':
      return false;
    case 'unchanged':
      return output === original;
    case 'magnitude':
      return isMagnitudeKept(original, output);
    case 'near':
      return isNear(law.ratio, original, output, type.base === 'float4');
    case 'band':
      return isBandOf(law.width, original, output);
    case 'period':
      return isPeriodOf(law.unit, original, output);
    case 'cohort':
      return isCohortKept(law.years, original, output);
    case 'moved':
      return isMoved(law.days, original, output);
  }
}

const expressions = new Map<string, RegExp>();

function toExpression(form: string): RegExp {
  const known = expressions.get(form) ?? new RegExp(`^(?:${form})$`, 'u');
  expressions.set(form, known);
  return known;
}
