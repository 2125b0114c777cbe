// How a repository is asked: through the client that is handed in, with a login, and of its errors the code alone.
import fs from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import git, { type HttpClient } from 'isomorphic-git';

import { BautaError } from '../../kernel/errors.js';

export interface Asking {
  readonly send: (request: Sent) => Promise<{
    readonly status: number;
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
    readonly body: Buffer;
  }>;
  /** `USER:PASSWORD`, or a token alone. */
  readonly credential?: string;
  /** Of what is fetched, and of a file. */
  readonly limitBytes: number;
}

export interface Sent {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly timeoutMs: number;
  readonly limitBytes: number;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 60_000;

/** What a library says quotes the server and the address: of its errors the code alone. */
export function nameOf(error: unknown): string {
  if (error instanceof BautaError) return error.code;
  const code = (error as { readonly code?: unknown } | null)?.code;
  const known: Readonly<Record<string, string>> = {
    NotFoundError: 'there is no such branch, commit or path',
    PushRejectedError: 'the branch has gone on meanwhile, or may not be pushed to',
    GitPushError: 'the server of the repository refused the push',
    HttpError: 'the server of the repository refused',
    ParseError: 'no repository answers there',
    SmartHttpError: 'no repository answers there',
    EmptyServerResponseError: 'no repository answers there',
    ENOENT: 'there is no such repository',
  };
  return (typeof code === 'string' ? known[code] : undefined) ?? 'the repository cannot be read';
}

/** The commit of a branch; undefined: there is no such branch. */
export async function findHead(
  { url, ref, ...options }: Asking & { readonly url: string; readonly ref: string },
  signal?: AbortSignal,
): Promise<string | undefined> {
  const name = `refs/heads/${ref}`;
  if (url.startsWith('file:')) {
    const gitdir = await findFolder(url);
    return git.resolveRef({ fs, gitdir, ref: name }).catch(async (error: unknown) => {
      // No branch, or no repository at all.
      await stat(join(gitdir, 'HEAD'));
      if ((error as { readonly code?: unknown }).code === 'NotFoundError') return undefined;
      throw error;
    });
  }
  const found = await git.listServerRefs({ http: toHttp(options, signal), url, prefix: name, headers: toHeaders(options) });
  return found.find((one) => one.ref === name)?.oid;
}

export async function findFolder(url: string): Promise<string> {
  const folder = fileURLToPath(url);
  const inside = join(folder, '.git');
  return (await stat(inside).catch(() => undefined))?.isDirectory() === true ? inside : folder;
}

export function toHeaders({ credential }: Pick<Asking, 'credential'>): Record<string, string> {
  if (credential === undefined) return {};
  const pair = credential.includes(':') ? credential : `x-access-token:${credential}`;
  return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** As isomorphic-git wants a client. A push is bytes. */
export function toHttp({ send, limitBytes }: Pick<Asking, 'send' | 'limitBytes'>, signal: AbortSignal | undefined): HttpClient {
  return {
    request: async ({ url, method = 'GET', headers = {}, body }) => {
      const pieces: Uint8Array[] = [];
      if (body) for await (const piece of body) pieces.push(piece);
      const answer = await send({
        ...{ url, headers, method: method === 'POST' ? 'POST' : 'GET', timeoutMs: TIMEOUT_MS, limitBytes },
        ...(pieces.length === 0 ? {} : { body: Buffer.concat(pieces) }),
        ...(signal === undefined ? {} : { signal }),
      });
      const names = Object.entries(answer.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []));
      // eslint-disable-next-line @typescript-eslint/require-await -- the library wants an asynchronous iterable, and the answer is here already
      const chunks = async function* (): AsyncIterableIterator<Uint8Array> {
        yield answer.body;
      };
      return {
        url,
        method,
        headers: Object.fromEntries(names) as Record<string, string>,
        body: chunks(),
        statusCode: answer.status,
        statusMessage: '',
      };
    },
  };
}
