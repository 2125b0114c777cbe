// The door of Git: one file of a repository at a commit or at the head of a branch, over HTTP or from a folder, without a program and without a work tree.
// All that goes over the network goes through the client that is handed in, which knows the hosts that are allowed.
import fs from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import git, { type HttpClient } from 'isomorphic-git';

import { BautaError, toError } from '../../kernel/errors.js';

export interface GitPlace {
  /** `https://HOST/REPOSITORY.git`, or `file:///FOLDER` of a repository, bare or not. */
  readonly url: string;
  /** A branch, or a whole commit id: then nothing else is ever taken. */
  readonly ref: string;
  /** In the repository. */
  readonly path: string;
}

interface Sent {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly limitBytes: number;
  readonly signal?: AbortSignal;
}

export interface GitOptions extends GitPlace {
  readonly send: (request: Sent) => Promise<{
    readonly status: number;
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
    readonly body: Buffer;
  }>;
  /** `USER:PASSWORD`, or a token alone. */
  readonly credential?: string;
  /** Where the objects of a commit are while it is read. */
  readonly folder: string;
  /** Of what is fetched, and of the file. */
  readonly limitBytes: number;
}

export interface GitFile {
  readonly bytes: Uint8Array;
  /** The commit. */
  readonly etag: string;
}

/** `git+https://HOST/REPOSITORY.git#REF:PATH`, `git+file:///FOLDER#REF:PATH`; undefined: it is none of these. */
export function parseGitPlace(text: string): GitPlace | undefined {
  const [, url, ref, path] = /^git\+((?:https?|file):\/\/[^#\s]+)#([A-Za-z0-9][\w./-]*):([^:\s]+)$/.exec(text) ?? [];
  if (url === undefined || ref === undefined || path === undefined) return undefined;
  return ref.includes('..') || path.split('/').some((name) => name === '' || name === '..') ? undefined : { url, ref, path };
}

const TIMEOUT_MS = 60_000;
const isCommit = (ref: string): boolean => /^[0-9a-f]{40}$/.test(ref);

/** Undefined: it is still the commit of this etag. Throws POLICY_BUNDLE_UNREACHABLE. */
export async function readGitFile(options: GitOptions, etag?: string, signal?: AbortSignal): Promise<GitFile | undefined> {
  try {
    const commit = isCommit(options.ref) ? options.ref : await findHead(options, signal);
    if (commit === etag) return undefined;
    const bytes = options.url.startsWith('file:')
      ? await readBlob(options, await findFolder(options.url), commit)
      : await fetchBlob(options, commit, signal);
    return { bytes, etag: commit };
  } catch (error) {
    throw toError('POLICY_BUNDLE_UNREACHABLE', { name: nameOf(error) });
  }
}

/** What a library says quotes the server and the address: of its errors the code alone. */
function nameOf(error: unknown): string {
  if (error instanceof BautaError) return error.code;
  const code = (error as { readonly code?: unknown } | null)?.code;
  const known: Readonly<Record<string, string>> = {
    NotFoundError: 'there is no such branch, commit or path',
    HttpError: 'the server of the repository refused',
    ParseError: 'no repository answers there',
    SmartHttpError: 'no repository answers there',
    EmptyServerResponseError: 'no repository answers there',
    ENOENT: 'there is no such repository',
  };
  return (typeof code === 'string' ? known[code] : undefined) ?? 'the repository cannot be read';
}

async function findHead({ url, ref, ...options }: GitOptions, signal: AbortSignal | undefined): Promise<string> {
  const name = `refs/heads/${ref}`;
  if (url.startsWith('file:')) return git.resolveRef({ fs, gitdir: await findFolder(url), ref: name });
  const found = await git.listServerRefs({ http: toHttp(options, signal), url, prefix: name, headers: toHeaders(options) });
  const head = found.find((one) => one.ref === name)?.oid;
  if (head === undefined) throw Object.assign(new Error(), { code: 'NotFoundError' });
  return head;
}

async function findFolder(url: string): Promise<string> {
  const folder = fileURLToPath(url);
  const inside = join(folder, '.git');
  return (await stat(inside).catch(() => undefined))?.isDirectory() === true ? inside : folder;
}

async function readBlob({ path, limitBytes }: GitOptions, gitdir: string, commit: string): Promise<Uint8Array> {
  const { blob } = await git.readBlob({ fs, gitdir, oid: commit, filepath: path });
  if (blob.length > limitBytes) throw toError('POLICY_BUNDLE_UNREADABLE', { expected: `at most ${limitBytes} bytes` });
  return blob;
}

/** The commit alone, without what was before it, into a folder that goes away. */
async function fetchBlob(options: GitOptions, commit: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const gitdir = await mkdtemp(join(options.folder, 'git-'));
  try {
    await git.init({ fs, gitdir, dir: gitdir, bare: true });
    await git.addRemote({ fs, gitdir, remote: 'origin', url: options.url });
    const wanted = { ref: isCommit(options.ref) ? commit : options.ref, depth: 1, singleBranch: true, tags: false };
    const { fetchHead } = await git.fetch({
      ...{ fs, gitdir, http: toHttp(options, signal), remote: 'origin', headers: toHeaders(options), ...wanted },
    });
    // Between the two questions the branch may have gone on: then the next look takes it.
    return await readBlob(options, gitdir, fetchHead ?? commit);
  } finally {
    await rm(gitdir, { recursive: true, force: true });
  }
}

function toHeaders({ credential }: Pick<GitOptions, 'credential'>): Record<string, string> {
  if (credential === undefined) return {};
  const pair = credential.includes(':') ? credential : `x-access-token:${credential}`;
  return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** As isomorphic-git wants a client. Its questions are text. */
function toHttp({ send, limitBytes }: Pick<GitOptions, 'send' | 'limitBytes'>, signal: AbortSignal | undefined): HttpClient {
  return {
    request: async ({ url, method = 'GET', headers = {}, body }) => {
      const pieces: Uint8Array[] = [];
      if (body) for await (const piece of body) pieces.push(piece);
      const answer = await send({
        ...{ url, headers, method: method === 'POST' ? 'POST' : 'GET', timeoutMs: TIMEOUT_MS, limitBytes },
        ...(pieces.length === 0 ? {} : { body: Buffer.concat(pieces).toString('ascii') }),
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
