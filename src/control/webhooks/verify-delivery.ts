// Is a delivery what it says it is? Its signature over the bytes as they came is looked at before anything else of it, and in constant time.
// Pure: the time is an argument. Whether the same came before is for the caller to look up, by the digest.
import { createHmac, timingSafeEqual } from 'node:crypto';

import { digestBytes } from '../../kernel/digest.js';
import { gitHubEvents } from '../../kernel/github-events.js';
import { memberAt, parseJson } from '../../kernel/json-member.js';
import type { WebhookDefinition } from '../../pipeline/definition.js';

export interface Delivery {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

/** `unsigned`: nothing to check. `forged`: the signature is of another body or secret. `old`: of a time too far away. `unreadable`: no form that is known. */
export type Refusal = 'unsigned' | 'forged' | 'old' | 'unreadable' | 'replayed';

export interface Verified {
  /** The same for the same delivery. */
  readonly digest: string;
  /** How long a second one has to be told by the digest; absent: for ever. */
  readonly toldForMs?: number;
  readonly event?: string;
  readonly branch?: string;
  /** The number of a pull or merge request that has just ended, merged or not. */
  readonly closed?: number;
}

export const OLDEST_MS = 72 * 3_600_000;
/** How far clocks may be apart, and how long a delivery of the form `hmac` may take. */
export const SKEW_MS = 5 * 60_000;

type Secret = string;

export function verifyDelivery(form: WebhookDefinition['form'], delivery: Delivery, secret: Secret, nowMs: number): Verified | Refusal {
  return ways[form](delivery, secret, nowMs);
}

const ways: Readonly<Record<WebhookDefinition['form'], (delivery: Delivery, secret: Secret, nowMs: number) => Verified | Refusal>> = {
  github: verifyGitHub,
  gitlab: verifyGitLab,
  hmac: verifyHmac,
};

/** GitHub signs neither a time nor the delivery's id: the digest of the body tells a second one, and the event itself how old it is. */
function verifyGitHub({ headers, body }: Delivery, secret: Secret, nowMs: number): Verified | Refusal {
  const [, given] = /^sha256=([0-9a-f]{64})$/.exec(one(headers['x-hub-signature-256'])) ?? [];
  if (given === undefined) return 'unsigned';
  if (!isEqual(Buffer.from(given, 'hex'), createHmac('sha256', secret).update(body).digest())) return 'forged';
  const event = one(headers['x-github-event']);
  const verified = { digest: digestBytes(body), toldForMs: OLDEST_MS + 2 * SKEW_MS, event };
  const places = Object.hasOwn(gitHubEvents, event) ? gitHubEvents[event] : undefined;
  // Nothing is ever asked for by an event of another name.
  if (!places) return verified;
  const payload = parseJson(body);
  const atMs = toMs(memberAt(payload, places.time));
  if (Number.isNaN(atMs)) return 'unreadable';
  if (nowMs - atMs > OLDEST_MS || atMs - nowMs > SKEW_MS) return 'old';
  const closed =
    event === 'pull_request' && memberAt(payload, ['action']) === 'closed' ? memberAt(payload, ['pull_request', 'number']) : undefined;
  return { ...verified, ...toBranch(memberAt(payload, places.branch)), ...toClosed(closed) };
}

/** GitLab signs nothing, it shows a token. Whoever has that may say anything; a body that came before is refused for ever. */
function verifyGitLab({ headers, body }: Delivery, secret: Secret): Verified | Refusal {
  const token = one(headers['x-gitlab-token']);
  if (token === '') return 'unsigned';
  // Of equal length, whatever was sent.
  const digest = (text: string): Buffer => createHmac('sha256', 'bauta token').update(text).digest();
  if (!isEqual(digest(token), digest(secret))) return 'forged';
  const payload = parseJson(body);
  if (payload === undefined) return 'unreadable';
  const branch = memberAt(payload, ['ref']) ?? memberAt(payload, ['object_attributes', 'ref']) ?? memberAt(payload, ['object_attributes', 'target_branch']); // prettier-ignore
  const event = one(headers['x-gitlab-event']);
  const ended = ['close', 'merge'].includes(String(memberAt(payload, ['object_attributes', 'action'])));
  const closed = event === 'Merge Request Hook' && ended ? memberAt(payload, ['object_attributes', 'iid']) : undefined;
  return { digest: digestBytes(body), event, ...toBranch(branch), ...toClosed(closed) };
}

/** Standard Webhooks: `webhook-id`, `webhook-timestamp` and the body are signed together; several signatures may stand there while a secret changes. */
function verifyHmac({ headers, body }: Delivery, secret: Secret, nowMs: number): Verified | Refusal {
  const [id, timestamp] = [one(headers['webhook-id']), one(headers['webhook-timestamp'])];
  const signatures = one(headers['webhook-signature']).split(' ').flatMap((text) => /^v1,([A-Za-z0-9+/]{43}=)$/.exec(text)?.[1] ?? []); // prettier-ignore
  if (!/^[\x21-\x7e]{1,200}$/.test(id) || id.includes('.') || !/^\d{1,12}$/.test(timestamp) || signatures.length === 0) return 'unsigned';
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  const wanted = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  if (!signatures.slice(0, 8).some((text) => isEqual(Buffer.from(text, 'base64'), wanted))) return 'forged';
  if (Math.abs(nowMs - Number(timestamp) * 1000) > SKEW_MS) return 'old';
  return { digest: digestBytes(`webhook-id ${id}`), toldForMs: 3 * SKEW_MS };
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

const one = (header: string | readonly string[] | undefined): string => (typeof header === 'string' ? header : '');

function toMs(value: unknown): number {
  if (typeof value === 'number') return value * 1000;
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : NaN;
}

function toClosed(number: unknown): { readonly closed?: number } {
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? { closed: number } : {};
}

function toBranch(ref: unknown): { readonly branch?: string } {
  return typeof ref === 'string' ? { branch: ref.replace(/^refs\/heads\//, '') } : {};
}
