// The door of Git: one file of a repository at a commit or at the head of a branch, over HTTP or from a folder, without a program and without a work tree.
// All that goes over the network goes through the client that is handed in, which knows the hosts that are allowed.
import fs from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import git from 'isomorphic-git';

import { toError } from '../../kernel/errors.js';
import { type Asking, findFolder, findHead, nameOf, toHeaders, toHttp } from './asking.js';

export { GitFolder, type GitFolderOptions } from './git-folder.js';

export interface GitPlace {
  /** `https://HOST/REPOSITORY.git`, or `file:///FOLDER` of a repository, bare or not. */
  readonly url: string;
  /** A branch, or a whole commit id: then nothing else is ever taken. */
  readonly ref: string;
  /** In the repository. */
  readonly path: string;
}

export interface GitOptions extends GitPlace, Asking {
  /** Where the objects of a commit are while it is read. */
  readonly folder: string;
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

const isCommit = (ref: string): boolean => /^[0-9a-f]{40}$/.test(ref);

/** Undefined: it is still the commit of this etag. Throws POLICY_BUNDLE_UNREACHABLE. */
export async function readGitFile(options: GitOptions, etag?: string, signal?: AbortSignal): Promise<GitFile | undefined> {
  try {
    const commit = isCommit(options.ref) ? options.ref : await requireHead(options, signal);
    if (commit === etag) return undefined;
    const bytes = options.url.startsWith('file:')
      ? await readBlob(options, await findFolder(options.url), commit)
      : await fetchBlob(options, commit, signal);
    return { bytes, etag: commit };
  } catch (error) {
    throw toError('POLICY_BUNDLE_UNREACHABLE', { name: nameOf(error) });
  }
}

async function requireHead(options: GitOptions, signal: AbortSignal | undefined): Promise<string> {
  const head = await findHead(options, signal);
  if (head === undefined) throw Object.assign(new Error(), { code: 'NotFoundError' });
  return head;
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
