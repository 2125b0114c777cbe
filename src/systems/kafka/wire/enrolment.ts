// How an agent and a service come to know each other over a broker that neither trusts. The token that a person carries from one to the other holds the
// service's public key and the secret half of a key made for this once; the service keeps the public half, with which nobody can enrol. The agent
// signs its own keys with it, and the service tells on the control topic whom it took.
import { type KeyObject, randomBytes, sign, verify } from 'node:crypto';

import { type Json, toCanonicalJson } from '../../../kernel/canonical-json.js';
import { toPrivateKey, toPublicBytes, toPublicKey } from '../../../kernel/ed25519.js';
import { toError } from '../../../kernel/errors.js';
import type { AgentBody, AgentPlace } from './body.js';
import { MessageReader, type ReadMessage, type ReceiptMessage, type WireMessage, readReceipt, writeReceipt } from './message.js';

const mark = 'bauta-agent-';
const MOST_BYTES = 16_384;

/** What the token says. Secret. */
export interface AgentToken {
  readonly environment: string;
  readonly workspace: string;
  /** Of the topics; absent: the default. */
  readonly prefix?: string;
  /** The environment's stream key, in hex. */
  readonly serviceKey: string;
  readonly tokenId: string;
  /** 32 bytes in hex. */
  readonly secret: string;
  readonly expiresAt: string;
}

/** What the service keeps of it. */
export interface Invite {
  readonly tokenId: string;
  /** In hex: nobody can enrol with it. */
  readonly publicKey: string;
  readonly expiresAt: string;
}

export function createToken(of: Omit<AgentToken, 'tokenId' | 'secret'>): { readonly token: string; readonly invite: Invite } {
  const secret = randomBytes(32);
  const tokenId = randomBytes(8).toString('hex');
  const { expiresAt } = of;
  return { token: toToken({ ...of, tokenId, secret: secret.toString('hex') }), invite: toInvite({ tokenId, secret, expiresAt }) };
}

/** As it is carried. Secret. */
export const toToken = (token: AgentToken): string => mark + Buffer.from(toCanonicalJson({ ...token }), 'utf8').toString('base64url');

export function toInvite({ tokenId, secret, expiresAt }: Pick<Invite, 'tokenId' | 'expiresAt'> & { readonly secret: Uint8Array }): Invite {
  return { tokenId, publicKey: toPublicBytes(toPrivateKey(secret)).toString('hex'), expiresAt };
}

/** Throws AGENT_TOKEN_INVALID, AGENT_TOKEN_EXPIRED. */
export function parseToken(text: string, nowMs: number): AgentToken {
  const invalid = toError('AGENT_TOKEN_INVALID');
  const [, encoded = ''] = /^bauta-agent-([A-Za-z0-9_-]{1,8192})$/.exec(text.trim()) ?? [];
  let token: Partial<AgentToken>;
  try {
    token = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')) as Partial<AgentToken>;
  } catch {
    throw invalid;
  }
  const texts = [token.environment, token.workspace, token.expiresAt];
  const isHex = (value: unknown, bytes: number): boolean => typeof value === 'string' && new RegExp(`^[0-9a-f]{${bytes * 2}}$`).test(value);
  const fits = texts.every((one) => typeof one === 'string') && (token.prefix === undefined || typeof token.prefix === 'string');
  if (!fits || !isHex(token.serviceKey, 32) || !isHex(token.secret, 32) || !isHex(token.tokenId, 8)) throw invalid;
  const ends = Date.parse(token.expiresAt!);
  if (!(ends > nowMs)) throw toError('AGENT_TOKEN_EXPIRED', { expected: token.expiresAt });
  return token as AgentToken;
}

/** As the agent asks: its public keys, where it delivers to, and the proof that it has the token. */
export interface EnrolBody extends AgentBody {
  readonly place: AgentPlace;
  readonly proof: string;
}

export interface EnrolmentRequest extends AgentBody {
  readonly agentId: string;
  readonly tokenId: string;
  readonly place: AgentPlace;
}

export function writeEnrolment(
  token: AgentToken,
  of: { readonly agentId: string; readonly sequence: number; readonly at: string; readonly recipient: string; readonly place: AgentPlace },
  key: KeyObject,
): readonly WireMessage[] {
  const { environment, workspace, tokenId } = token;
  const { agentId, sequence, at, recipient, place } = of;
  const publicKey = toPublicBytes(key).toString('hex');
  const proved = toProved({ environment, workspace }, { agentId, tokenId, publicKey, recipient, place });
  const proof = sign(null, proved, toPrivateKey(Buffer.from(token.secret, 'hex'))).toString('base64url');
  const body = { publicKey, recipient, place: { ...place }, proof };
  return writeReceipt({ v: 1, type: 'enrol', environment, workspace, runId: tokenId, agentId, sequence, at, body }, key);
}

function toProved(of: { readonly environment: string; readonly workspace: string }, request: EnrolmentRequest): Buffer {
  const { environment, workspace } = of;
  const { agentId, tokenId, publicKey, recipient, place } = request;
  const proved: Json = { environment, workspace, agentId, tokenId, publicKey, recipient, place: { ...place } };
  return Buffer.from(`bauta agent enrolment v1\n${toCanonicalJson(proved)}`, 'utf8');
}

export type EnrolmentProblem = 'unsigned' | 'unknown token' | 'expired token' | 'wrong token';

/**
 * A record that asks to be enrolled, held against the tokens that are open. Undefined: it asks for nothing. The agent's key is in the request
 * itself: that it signed shows that it has the secret half, and the token's signature shows who let it in.
 */
export function readEnrolment(
  record: ReadMessage,
  {
    environment,
    workspace,
    nowMs,
    invites,
  }: {
    readonly environment: string;
    readonly workspace: string;
    readonly nowMs: number;
    readonly invites: readonly Invite[];
  },
): { readonly request: EnrolmentRequest } | { readonly problem: EnrolmentProblem } | undefined {
  const name = record.key === null ? '' : Buffer.from(record.key).toString('latin1');
  const [, agentId, tokenId] = /^([0-9a-z]{16})\/([0-9a-f]{16})\/enrol$/.exec(name) ?? [];
  if (agentId === undefined || tokenId === undefined) return undefined;
  const claimed = record.value === null || record.value.length > MOST_BYTES ? undefined : parseClaim(record.value);
  if (!claimed) return { problem: 'unsigned' };
  const reader = new MessageReader('receipt', toPublicKey(Buffer.from(claimed.publicKey, 'hex')));
  const read = readReceipt(reader, record, { environment, workspace, agentId, highest: 0 });
  if (!read || 'problem' in read || read.message.type !== 'enrol' || read.message.runId !== tokenId) return { problem: 'unsigned' };
  const invite = invites.find((one) => one.tokenId === tokenId);
  if (!invite) return { problem: 'unknown token' };
  if (Date.parse(invite.expiresAt) <= nowMs) return { problem: 'expired token' };
  const { publicKey, recipient, place, proof } = claimed;
  const request = { agentId, tokenId, publicKey, recipient, place };
  const holds = verify(
    null,
    toProved({ environment, workspace }, request),
    toPublicKey(Buffer.from(invite.publicKey, 'hex')),
    Buffer.from(proof, 'base64url'),
  );
  return holds ? { request } : { problem: 'wrong token' };
}

function parseClaim(value: Uint8Array): EnrolBody | undefined {
  try {
    const { body } = JSON.parse(Buffer.from(value).toString('utf8')) as ReceiptMessage<Partial<EnrolBody>>;
    const { publicKey, recipient, place, proof } = body;
    const isPlace = typeof place?.database === 'string' && typeof place.systemIdentifier === 'string';
    // A list of one text is that text to a pattern, and no key to whoever reads its bytes.
    if (typeof publicKey !== 'string' || typeof recipient !== 'string' || typeof proof !== 'string' || !isPlace) return undefined;
    if (!/^[0-9a-f]{64}$/.test(publicKey) || !/^age1[a-z0-9]{20,100}$/.test(recipient)) return undefined;
    return { publicKey, recipient, place: { database: place.database, systemIdentifier: place.systemIdentifier }, proof };
  } catch {
    return undefined;
  }
}
