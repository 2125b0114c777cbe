// Where a bundle comes from: a file, or a server that speaks OPA's bundle API (ETag and 304, long polling where it offers that).
import { readFile } from 'node:fs/promises';

import { digestBytes } from '../../kernel/digest.js';
import { BautaError, toError } from '../../kernel/errors.js';
import { archiveLimits } from './archive.js';

export interface Fetched {
  readonly bytes: Uint8Array;
  /** By which the source is asked whether there is another. */
  readonly etag: string;
}

export interface BundleSource {
  /** Undefined: still the one of this etag. `waitSeconds`: how long the source may hold the question until there is another. Throws POLICY_BUNDLE_UNREACHABLE. */
  ask(etag: string | undefined, waitSeconds?: number, signal?: AbortSignal): Promise<Fetched | undefined>;
  /** Whether it held the last question, so that it can be asked again at once. */
  readonly holds: boolean;
}

/** As the one client for HTTP has it. */
export type Send = (request: {
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly timeoutMs?: number;
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
}) => Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}>;

/** What stood in the way, by a code or a status and nothing else. */
export function unreachable(error: unknown): BautaError {
  return toError('POLICY_BUNDLE_UNREACHABLE', { name: error instanceof BautaError ? error.code : 'it cannot be read' });
}

export function fileSource(path: string): BundleSource {
  return {
    holds: false,
    ask: async (etag) => {
      let bytes: Buffer;
      try {
        bytes = await readFile(path);
      } catch (error) {
        throw unreachable(error);
      }
      const digest = digestBytes(bytes);
      return digest === etag ? undefined : { bytes, etag: digest };
    },
  };
}

const longPolling = 'application/vnd.openpolicyagent.bundles';

/** `token`: sent as a bearer token. */
export function httpSource(url: string, send: Send, token?: string): BundleSource {
  let holds = false;
  const ask: BundleSource['ask'] = async (etag, waitSeconds, signal) => {
    const headers = {
      Prefer: waitSeconds === undefined ? 'modes=snapshot' : `modes=snapshot;wait=${waitSeconds}`,
      ...(etag === undefined ? {} : { 'If-None-Match': etag }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    };
    const limits = { timeoutMs: 30_000 + 1000 * (waitSeconds ?? 0), limitBytes: archiveLimits.packedBytes };
    const answer = await send({ url, headers, ...limits, ...(signal === undefined ? {} : { signal }) }).catch((error: unknown) => {
      throw unreachable(error);
    });
    const type = answer.headers['content-type'];
    holds = waitSeconds !== undefined && typeof type === 'string' && type.startsWith(longPolling);
    if (answer.status === 304 && etag !== undefined) return undefined;
    if (answer.status !== 200) throw toError('POLICY_BUNDLE_UNREACHABLE', { name: `status ${answer.status}` });
    const { etag: given } = answer.headers;
    // Without an etag there is nothing to ask by: the next answer is looked at whole.
    return { bytes: answer.body, etag: typeof given === 'string' ? given : '' };
  };
  return {
    ask,
    get holds() {
      return holds;
    },
  };
}
