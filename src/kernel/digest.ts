// SHA-256 over bytes, text and canonical JSON. Written as `sha256:<hex>` wherever a person or a file sees it.
import { createHash } from 'node:crypto';

import { type Json, toCanonicalJson } from './canonical-json.js';

export function digestBytes(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Digest of the RFC 8785 text of the value. */
export function digestJson(value: Json): string {
  return digestBytes(toCanonicalJson(value));
}
