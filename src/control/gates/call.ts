// A question of a native caller whose answer is told later: what is asked, where the answer belongs, and until when somebody waits for it.
import { createHmac, timingSafeEqual } from 'node:crypto';

import type { Asked } from './asked.js';

export interface Call {
  /** Id of the delivery as its sender has it. */
  readonly delivery: string;
  /** The same for the same delivery. */
  readonly digest: string;
  readonly asked: Asked;
  /** Numbers and names for the path of the answer. Never an address: that is the Gate's. */
  readonly place: Readonly<Record<string, string | number>>;
  readonly untilMs: number;
  /** What the commit is called, where that has the form of a version. Names of branches may be people’s, and stay out of the log. */
  readonly tag?: string;
}

/** `v1.4.2` of `refs/tags/v1.4.2`; undefined: it has not the form of a version. */
export const toTag = (ref: string): string | undefined => /^(?:refs\/tags\/)?(v?\d[A-Za-z0-9.+-]{0,63})$/.exec(ref)?.[1];

export interface Delivery {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

/** `foreign`: the Gate does not name where it comes from. `ignored`: it asks for nothing. */
export type NoCall = 'unsigned' | 'forged' | 'old' | 'unreadable' | 'foreign' | 'ignored';

export const one = (header: string | readonly string[] | undefined): string => (typeof header === 'string' ? header : '');

/** In constant time, over the bytes as they came. `given`: HMAC-SHA256 in lower-case hexadecimal. */
export function isSignedWith(given: string, body: Uint8Array, secret: string): boolean {
  const wanted = createHmac('sha256', secret).update(body).digest();
  const bytes = Buffer.from(given, 'hex');
  return bytes.length === wanted.length && timingSafeEqual(bytes, wanted);
}

/** In constant time, of whatever length. */
export function isSameSecret(given: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'bauta secret').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

export const commitForm = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
export const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
