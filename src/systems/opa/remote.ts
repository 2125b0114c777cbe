// The gate's question to a running OPA server: POST /v1/data/gate/provision/decision. What is no decision there is none here either.
import { toCanonicalJson } from '../../kernel/canonical-json.js';
import { digestBytes } from '../../kernel/digest.js';
import { BautaError, toError } from '../../kernel/errors.js';
import type { GateInput } from '../../pipeline/decision.js';
import type { Send } from './bundle-source.js';
import type { Decider } from './decider.js';
import { parseDecision, type Said } from './reasons.js';

export interface RemoteOptions {
  /** For example https://opa.example:8181. */
  readonly server: string;
  readonly send: Send;
  readonly timeLimitMs: number;
  /** Sent as a bearer token. */
  readonly token?: string;
}

const path = '/v1/data/gate/provision/decision';
/** Of reasons there may be thousands. */
const limitBytes = 32 * 1024 * 1024;

/** Which bundles the server has, as its answers say; nothing is known before the first. */
export function openRemote({ server, send, timeLimitMs, token }: RemoteOptions): Decider {
  const url = new URL(path, server);
  url.searchParams.set('provenance', 'true');
  let bundle = { revision: 'unknown', digest: digestBytes(url.origin) };
  const headers = { 'Content-Type': 'application/json', ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) };
  return {
    name: 'server',
    get bundle() {
      return bundle;
    },
    ask: async (input: GateInput): Promise<Said> => {
      const body = `{"input":${toCanonicalJson(input)}}`;
      const answer = await send({ method: 'POST', url: url.href, headers, body, timeoutMs: timeLimitMs, limitBytes }).catch(
        (error: unknown) => {
          const late = error instanceof BautaError && error.code === 'HTTP_TIMEOUT';
          throw late
            ? toError('POLICY_TIMEOUT', { amount: `${timeLimitMs} ms` })
            : refused(error instanceof BautaError ? error.code : 'it cannot be reached');
        },
      );
      if (answer.status !== 200) throw refused(`status ${answer.status}`);
      const { result, provenance } = parse(answer.body);
      bundle = { ...bundle, revision: toRevision(provenance) };
      // Undefined is an answer without a result.
      if (result === undefined) throw toError('POLICY_UNDEFINED');
      return { reasons: parseDecision(result) };
    },
    close: () => Promise.resolve(),
  };
}

function parse(body: Buffer): { readonly result?: unknown; readonly provenance?: unknown } {
  try {
    const value = JSON.parse(body.toString('utf8')) as unknown;
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // As below.
  }
  throw refused('the answer is no JSON object');
}

function toRevision(provenance: unknown): string {
  const { bundles } = (provenance ?? {}) as { bundles?: Readonly<Record<string, { revision?: unknown }>> };
  const revisions = Object.entries(bundles ?? {}).map(([name, { revision }]) => `${name}:${typeof revision === 'string' ? revision : ''}`);
  return revisions.length === 0 ? 'unknown' : revisions.sort().join(' ');
}

const refused = (name: string): BautaError => toError('POLICY_SERVER_REFUSED', { name });
