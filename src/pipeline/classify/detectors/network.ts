// Addresses of machines, and identifiers that look like none.
import { isIP } from 'node:net';

import type { Detector } from './detector.js';

const uuid = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const mac = /^(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i;
const v4InText = /(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w.])/g;

/** Loopback, private, link-local, documentation and the like: they lead to nobody. */
function isPublicV4(text: string): boolean {
  if (isIP(text) !== 4) return false;
  const local =
    /^(?:0|10|127|22[4-9]|23\d|24\d|25[0-5])\.|^(?:169\.254|192\.168|198\.1[89]|172\.(?:1[6-9]|2\d|3[01])|192\.0\.[02]|198\.51\.100|203\.0\.113|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
  return !local.test(text);
}

export const network: readonly Detector[] = [
  {
    rule: 'content/ip',
    tag: 'pii.ip',
    kinds: ['text'],
    confidence: 0.95,
    matches: (value) => isIP(value.replace(/\/\d{1,3}$/, '')) !== 0,
    isIn: (text) => [...text.matchAll(v4InText)].some(([found]) => isPublicV4(found)),
  },
  { rule: 'content/mac', tag: 'pii.mac', kinds: ['text'], confidence: 0.95, matches: (value) => mac.test(value) },
  { rule: 'content/uuid', tag: 'pii.uuid', kinds: ['text'], confidence: 0.6, matches: (value) => uuid.test(value) },
];
