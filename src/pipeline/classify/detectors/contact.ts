// How a person is reached: e-mail, telephone, page, user agent, post code.
import type { Detector } from './detector.js';

const emailInText = /[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/;
const phoneInText = /(?<![\w+])\+[1-9](?:[ ().-]{0,2}\d){7,14}(?!\w)/g;

function countDigits(text: string): number {
  return text.replace(/\D/g, '').length;
}

function isPhone(value: string): boolean {
  if (!/^\+?[\d ()./-]{7,24}(?: ?(?:x|ext\.?) ?\d{1,6})?$/i.test(value)) return false;
  const digits = countDigits(value.replace(/(?:x|ext).*$/i, ''));
  if (value.startsWith('+') || value.startsWith('00')) return digits >= 8 && digits <= 17;
  // Without a country: a trunk zero, or a North American number with its separators. Bare digits could be any number.
  if (/^\(?0[1-9]/.test(value)) return digits >= 7 && digits <= 13;
  return /^(?:1[ .-])?\(?[2-9]\d{2}\)?[ .-]{1,2}\d{3}[ .-]\d{4}/.test(value);
}

export const contact: readonly Detector[] = [
  {
    rule: 'content/email',
    tag: 'pii.email',
    kinds: ['text'],
    confidence: 0.98,
    matches: (value) => /^[^\s@<>"]{1,64}@[^\s@<>".]{1,63}(?:\.[^\s@<>".]{1,63}){1,8}$/.test(value),
    isIn: (text) => emailInText.test(text),
  },
  {
    rule: 'content/phone',
    tag: 'pii.phone',
    kinds: ['text'],
    confidence: 0.85,
    matches: isPhone,
    isIn: (text) => [...text.matchAll(phoneInText)].some(([found]) => countDigits(found) >= 9 && countDigits(found) <= 15),
  },
  {
    rule: 'content/url',
    tag: 'pii.url',
    kinds: ['text'],
    confidence: 0.55,
    matches: (value) => /^https?:\/\/[^\s/]{3,255}(?:\/\S*)?$/i.test(value),
  },
  {
    rule: 'content/user-agent',
    tag: 'pii.user-agent',
    kinds: ['text'],
    confidence: 0.95,
    matches: (value) => /^(?:Mozilla|Opera|Dalvik|okhttp|curl|python-requests)\/\d/.test(value),
  },
  {
    // Forms with letters only: five digits are a post code in ten countries, and a number everywhere.
    rule: 'content/postcode',
    tag: 'pii.address.postcode',
    kinds: ['text'],
    confidence: 0.7,
    matches: (value) =>
      /^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$/.test(value) ||
      /^\d{4} ?[A-Z]{2}$/.test(value) ||
      /^[A-Z]\d[A-Z] ?\d[A-Z]\d$/.test(value) ||
      /^\d{5}-\d{4}$/.test(value) ||
      /^\d{2}-\d{3}$/.test(value),
  },
  {
    rule: 'content/postcode-digits',
    tag: 'pii.address.postcode',
    kinds: ['text'],
    confidence: 0.3,
    matches: (value) => /^(?:\d{4,5}|\d{3} \d{2})$/.test(value),
  },
];
