// An entry of the log: the canonical JSON of an event. Data of more than 16 KB lies in a file of its own; the entry holds its digest.
import { type Json, toCanonicalJson } from '../../kernel/canonical-json.js';
import { digestBytes } from '../../kernel/digest.js';
import type { Event } from '../event.js';

export const LEAF_BYTES = 16_384;

export interface Payload {
  /** `sha256:<hex>` of the bytes. */
  readonly digest: string;
  readonly bytes: Buffer;
}

export interface Leaf {
  readonly bytes: Buffer;
  readonly payload?: Payload;
}

export function toLeaf(event: Event): Leaf {
  const bytes = Buffer.from(toCanonicalJson(event as unknown as Json), 'utf8');
  if (bytes.length <= LEAF_BYTES) return { bytes };
  const { data, ...rest } = event;
  const body = Buffer.from(toCanonicalJson(data), 'utf8');
  const payload = { digest: digestBytes(body), bytes: body };
  return { bytes: Buffer.from(toCanonicalJson({ ...rest, payload: { bytes: body.length, digest: payload.digest } }), 'utf8'), payload };
}

/** Where the payload of a digest lies in a log's folder. */
export function toPayloadPath(digest: string): string {
  return `payload/${digest.slice('sha256:'.length)}`;
}

export interface ParsedLeaf {
  readonly event: Omit<Event, 'data'> & Partial<Pick<Event, 'data'>>;
  /** Digest and size of the file that holds the data. */
  readonly payload?: { readonly digest: string; readonly bytes: number };
}

/** Undefined when the bytes are not the canonical JSON of an event. */
export function parseLeaf(bytes: Buffer): ParsedLeaf | undefined {
  const value = parseCanonical(bytes);
  if (typeof value !== 'object' || value === null) return undefined;
  const { payload, ...event } = value as Record<string, unknown>;
  if (![event['runId'], event['stage'], event['type'], event['at']].every((member) => typeof member === 'string')) return undefined;
  if (payload === undefined)
    return typeof event['data'] === 'object' && event['data'] !== null ? { event: event as unknown as Event } : undefined;
  const { digest, bytes: size } = (payload ?? {}) as Record<string, unknown>;
  if (event['data'] !== undefined || typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest) || typeof size !== 'number')
    return undefined;
  return { event: event as unknown as ParsedLeaf['event'], payload: { digest, bytes: size } };
}

/** The value of a canonical text; undefined for a text that another value, or the same in another way, could have written. */
export function parseCanonical(bytes: Buffer): Json | undefined {
  const text = bytes.toString('utf8');
  try {
    const value = JSON.parse(text) as Json;
    return toCanonicalJson(value) === text && Buffer.byteLength(text) === bytes.length ? value : undefined;
  } catch {
    return undefined;
  }
}
