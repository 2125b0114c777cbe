// A folder of a branch that files are added to, one commit for each: over HTTP by a push that a changed branch refuses, or in a repository of this machine.
import fs from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import git, { type TreeEntry } from 'isomorphic-git';

import { toError } from '../../kernel/errors.js';
import { type Asking, findFolder, findHead, nameOf, toHeaders, toHttp } from './asking.js';

export interface GitFolderOptions extends Asking {
  /** As it was named, for errors. */
  readonly place: string;
  readonly url: string;
  /** A branch; the first commit makes it where there is none. */
  readonly ref: string;
  /** In the repository. */
  readonly path: string;
  /** Where objects are meanwhile. */
  readonly folder: string;
}

interface Repository {
  readonly fs: typeof fs;
  readonly gitdir: string;
}

/** As it was when it was opened, and what was added since. MUST be closed. */
export class GitFolder {
  private constructor(
    private readonly options: GitFolderOptions,
    private readonly repository: Repository,
    private head: string | undefined,
  ) {}

  /** Throws ANCHOR_UNREACHABLE. */
  static async open(options: GitFolderOptions): Promise<GitFolder> {
    return ask(options, async () => {
      const head = await findHead(options);
      if (options.url.startsWith('file:')) return new GitFolder(options, { fs, gitdir: await findFolder(options.url) }, head);
      await mkdir(options.folder, { recursive: true, mode: 0o700 });
      const repository = { fs, gitdir: await mkdtemp(join(options.folder, 'git-')) };
      const opened = new GitFolder(options, repository, undefined);
      try {
        await git.init({ ...repository, dir: repository.gitdir, bare: true });
        await git.addRemote({ ...repository, remote: 'origin', url: options.url });
        if (head !== undefined) opened.head = await opened.fetchHead();
        return opened;
      } catch (error) {
        await opened.close();
        throw error;
      }
    });
  }

  /** Names of files below a folder, in their order. */
  async list(below: string): Promise<readonly string[]> {
    return ask(this.options, async () => {
      const tree = await this.treeOf([...this.options.path.split('/'), ...below.split('/')]);
      return tree === undefined ? [] : (await this.walk(tree, below)).sort();
    });
  }

  async read(name: string): Promise<Buffer | undefined> {
    return ask(this.options, async () => {
      const parts = [...this.options.path.split('/'), ...name.split('/')];
      const tree = await this.treeOf(parts.slice(0, -1));
      const entry = tree === undefined ? undefined : (await this.entries(tree)).find(({ path }) => path === parts.at(-1));
      if (entry?.type !== 'blob') return undefined;
      return Buffer.from((await git.readBlob({ ...this.repository, oid: entry.oid })).blob);
    });
  }

  /** Durable where the repository is when it resolves. Whoever calls has looked whether something is there. Throws ANCHOR_UNREACHABLE. */
  async add(name: string, bytes: Uint8Array, { message, seconds }: { readonly message: string; readonly seconds: number }): Promise<void> {
    const { options, repository } = this;
    await ask(options, async () => {
      const before = this.head;
      const root = before === undefined ? undefined : (await git.readCommit({ ...repository, oid: before })).commit.tree;
      const blob = await git.writeBlob({ ...repository, blob: bytes });
      const tree = await this.put(root, [...options.path.split('/'), ...name.split('/')], blob);
      const who = { name: 'bauta', email: 'bauta@bauta.invalid', timestamp: seconds, timezoneOffset: 0 };
      const commit = { tree, parent: before === undefined ? [] : [before], author: who, committer: who, message };
      const oid = await git.writeCommit({ ...repository, commit });
      const ref = `refs/heads/${options.ref}`;
      // Somebody else has committed meanwhile: the next look goes on from there.
      if (options.url.startsWith('file:') && (await findHead(options)) !== before)
        throw Object.assign(new Error(), { code: 'PushRejectedError' });
      await git.writeRef({ ...repository, ref, value: oid, force: true });
      if (!options.url.startsWith('file:')) await this.push(ref);
      this.head = oid;
    });
  }

  async close(): Promise<void> {
    if (!this.options.url.startsWith('file:')) await rm(this.repository.gitdir, { recursive: true, force: true });
  }

  private async fetchHead(): Promise<string> {
    const { options, repository } = this;
    const wanted = { ref: options.ref, depth: 1, singleBranch: true, tags: false };
    const remote = { http: toHttp(options, undefined), remote: 'origin', headers: toHeaders(options) };
    const { fetchHead } = await git.fetch({ ...repository, ...remote, ...wanted });
    if (fetchHead === null) throw Object.assign(new Error(), { code: 'NotFoundError' });
    return fetchHead;
  }

  private async push(ref: string): Promise<void> {
    const { options, repository } = this;
    const remote = { http: toHttp(options, undefined), remote: 'origin', headers: toHeaders(options) };
    const answer = await git.push({ ...repository, ...remote, ref, remoteRef: ref });
    if (!answer.ok) throw Object.assign(new Error(), { code: 'GitPushError' });
  }

  private async entries(oid: string): Promise<readonly TreeEntry[]> {
    return (await git.readTree({ ...this.repository, oid })).tree;
  }

  /** Undefined: there is no such folder. */
  private async treeOf(parts: readonly string[]): Promise<string | undefined> {
    if (this.head === undefined) return undefined;
    let tree = (await git.readCommit({ ...this.repository, oid: this.head })).commit.tree;
    for (const part of parts) {
      const entry = (await this.entries(tree)).find(({ path }) => path === part);
      if (entry?.type !== 'tree') return undefined;
      tree = entry.oid;
    }
    return tree;
  }

  private async walk(tree: string, name: string): Promise<string[]> {
    const found: string[] = [];
    for (const { path, type, oid } of await this.entries(tree)) {
      if (type === 'blob') found.push(`${name}/${path}`);
      else if (type === 'tree') found.push(...(await this.walk(oid, `${name}/${path}`)));
    }
    return found;
  }

  private async put(tree: string | undefined, [head = '', ...rest]: readonly string[], blob: string): Promise<string> {
    const entries = tree === undefined ? [] : await this.entries(tree);
    const before = entries.find(({ path }) => path === head);
    const below = before?.type === 'tree' ? before.oid : undefined;
    const entry: TreeEntry =
      rest.length === 0
        ? { mode: '100644', type: 'blob', path: head, oid: blob }
        : { mode: '040000', type: 'tree', path: head, oid: await this.put(below, rest, blob) };
    return git.writeTree({ ...this.repository, tree: [...entries.filter(({ path }) => path !== head), entry] });
  }
}

async function ask<Answer>({ place }: GitFolderOptions, work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    throw toError('ANCHOR_UNREACHABLE', { name: place, expected: nameOf(error) });
  }
}
