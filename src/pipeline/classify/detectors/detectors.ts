// Every detector, and the two questions asked of them all: what is in this text, and may this key be shown?
import { contact } from './contact.js';
import type { Detector } from './detector.js';
import { VALUE_LIMIT } from './detector.js';
import { identity } from './identity.js';
import { money } from './money.js';
import { isGivenName, isPersonIdentifier, names } from './names.js';
import { network } from './network.js';
import { secrets } from './secrets.js';

export const detectors: readonly Detector[] = [...contact, ...money, ...identity, ...network, ...secrets, ...names];

/** What was found, without a word of it. */
export interface Hit {
  readonly rule: string;
  readonly tag: string;
}

// The longest thing that a detector looks for fits into the overlap, so that nothing hides at a border.
const CHUNK = 16_384;
const OVERLAP = 1024;

/** Personal data or a credential anywhere in a text, however long: one hit per rule. */
export function detectText(text: string): readonly Hit[] {
  const hits = new Map<string, Hit>();
  for (let at = 0; at === 0 || at + OVERLAP < text.length; at += CHUNK - OVERLAP) {
    const chunk = text.slice(at, at + CHUNK);
    for (const { rule, tag, isIn } of detectors) if (!hits.has(rule) && isIn?.(chunk) === true) hits.set(rule, { rule, tag });
  }
  return [...hits.values()];
}

/** Every rule that the whole value fits. */
export function detectValue(value: string): readonly Hit[] {
  const text = value.slice(0, VALUE_LIMIT).trim();
  return detectors.filter(({ matches }) => matches(text)).map(({ rule, tag }) => ({ rule, tag }));
}

const shownKey = /^[A-Za-z_][A-Za-z0-9_-]{0,40}$/;
const uncertain = new Set(['content/first-name', 'content/last-name', 'content/city', 'content/postcode-digits', 'content/postcode']);

/** True when a key of a document is data itself, so that it is shown as `*`: no plain word, or something that a detector knows. */
export function isDataKey(key: string): boolean {
  if (!shownKey.test(key) || /\d{5}/.test(key)) return true;
  return (
    detectText(key).length > 0 || detectValue(key).some(({ rule }) => !uncertain.has(rule)) || isPersonIdentifier(key) || isGivenName(key)
  );
}

/** The key, or `*`. */
export function toShownKey(key: string): string {
  return isDataKey(key) ? '*' : key;
}
