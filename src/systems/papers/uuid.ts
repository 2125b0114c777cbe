// Name-based UUIDs (RFC 9562, version 5): the same content has the same id in every edition of a document.
import { createHash } from 'node:crypto';

import { type Json, toCanonicalJson } from '../../kernel/canonical-json.js';

/** Of Bauta's OSCAL documents; made once by chance, and never changed. */
const NAMESPACE = Buffer.from('6f1d2c0b9a3e4d77a5c48be1f0937d52', 'hex');

export function toUuid(...name: readonly Json[]): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(toCanonicalJson(name)).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
