// A webhook of our own, signed as Standard Webhooks has it (https://www.standardwebhooks.com): id, time and body under one HMAC-SHA-256.
import { createHmac } from 'node:crypto';

import type { Message } from './message.js';

export interface SignedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `id` stays the same when it is sent again, so that a receiver can tell; `nowMs` is when it is sent. */
export function toSignedRequest(id: string, message: Message, secret: string, nowMs: number): SignedRequest {
  const { event, at, ...data } = message;
  const body = JSON.stringify({ type: event, timestamp: at, data });
  const seconds = String(Math.floor(nowMs / 1000));
  return {
    headers: {
      ...{ 'Content-Type': 'application/json', 'webhook-id': id, 'webhook-timestamp': seconds },
      'webhook-signature': toSignature(id, seconds, body, secret),
    },
    body,
  };
}

/** `whsec_` stands before a key in base64; anything else is the key itself. */
export function toSignature(id: string, seconds: string, body: string, secret: string): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret, 'utf8');
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`;
}
