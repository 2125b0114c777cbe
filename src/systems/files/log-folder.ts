// One log of the chain, on disk in the layout of c2sp.org/tlog-tiles: entries and digests are synced before the checkpoint that signs them
// takes the place of the last one by a rename. What stands behind the checkpoint after a crash was promised to nobody, and is written over.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import type { Signer } from '../../kernel/signed-note.js';
import {
  type Digest,
  GrowingTree,
  type Leaf,
  TILE,
  openCheckpoint,
  parseBundle,
  parseTile,
  signCheckpoint,
  toBundle,
  toEdgeTiles,
  toLeafDigest,
  toPayloadPath,
  toTilePath,
} from '../../pipeline/audit/audit.js';
import type { Checkpoint } from '../../pipeline/event.js';
import { removeIfThere, syncFolder, writeAll, writeWhole } from './durable.js';

export class LogFolder {
  /** Digests of the last, unfinished tile of each level, and the entries of the last bundle. */
  readonly #levels: Digest[][] = [];
  #entries: Buffer[] = [];
  readonly #tree = new GrowingTree();
  #note = '';

  private constructor(
    readonly folder: string,
    readonly origin: string,
    readonly signer: Signer,
  ) {}

  static create(folder: string, origin: string, signer: Signer): LogFolder {
    return new LogFolder(folder, origin, signer);
  }

  /** The log as its checkpoint says. Throws LOG_INCONSISTENT when the files are not what was signed: a log that is wrong is not signed again. */
  static async load(folder: string, origin: string, signer: Signer): Promise<LogFolder> {
    const wrong = (): Error => toError('LOG_INCONSISTENT', { file: folder });
    const note = await readFile(join(folder, 'checkpoint'), 'utf8');
    const opened = openCheckpoint(note, [signer.verifier]);
    if (opened.problem || opened.checkpoint.origin !== origin) throw wrong();
    const log = new LogFolder(folder, origin, signer);
    const { size, root } = opened.checkpoint;
    for (const tile of toEdgeTiles(size).toReversed()) {
      const bytes = await readFile(join(folder, toTilePath(tile))).catch(() => Buffer.alloc(0));
      if (tile.level === 'entries') log.#entries = [...parseBundle(bytes).entries];
      else {
        log.#levels[tile.level] = [...parseTile(bytes)];
        for (const digest of parseTile(bytes)) log.#tree.append(digest, TILE ** tile.level);
      }
    }
    for (let level = 0; level < log.#levels.length; level++) log.#levels[level] ??= [];
    const leaves = log.#levels[0] ?? [];
    const sound = log.#entries.length === leaves.length && log.#entries.every((entry, i) => toLeafDigest(entry).equals(leaves[i]!));
    if (log.#tree.size !== size || log.checkpoint.root !== root || !sound) throw wrong();
    log.#note = note;
    return log;
  }

  get checkpoint(): Checkpoint {
    return { origin: this.origin, size: this.#tree.size, root: this.#tree.root().toString('base64') };
  }

  /** The signed text of the checkpoint on disk. */
  get note(): string {
    return this.#note;
  }

  /** The last entry of the log; undefined when it has none. */
  async readLastEntry(): Promise<Buffer | undefined> {
    const size = this.#tree.size;
    if (this.#entries.length > 0 || size === 0) return this.#entries.at(-1);
    return parseBundle(await readFile(this.#path(toTilePath({ level: 'entries', index: size / TILE - 1, width: TILE })))).entries.at(-1);
  }

  /** Durable when it resolves. After a rejection the object MUST be thrown away: it is ahead of the disk. */
  async append(leaves: readonly Leaf[]): Promise<Checkpoint> {
    const before = toEdgeTiles(this.#tree.size).map((tile) => this.#path(toTilePath(tile)));
    const files = new Map<string, Uint8Array>();
    for (const { bytes, payload } of leaves) {
      if (payload) files.set(this.#path(toPayloadPath(payload.digest)), payload.bytes);
      this.#entries.push(bytes);
      const digest = toLeafDigest(bytes);
      this.#tree.append(digest);
      this.#push(0, digest, files);
    }
    for (const { level, index, width } of toEdgeTiles(this.#tree.size)) {
      const bytes = level === 'entries' ? toBundle(this.#entries) : Buffer.concat(this.#levels[level] ?? []);
      files.set(this.#path(toTilePath({ level, index, width })), bytes);
    }
    await writeAll(this.folder, files);
    const { checkpoint } = this;
    const note = signCheckpoint(checkpoint, this.signer);
    await writeWhole(this.#path('checkpoint'), note);
    await syncFolder(this.folder);
    this.#note = note;
    this.#dropPartial(
      before.filter((path) => !files.has(path)),
      files,
    );
    return checkpoint;
  }

  /** A level's tile that is full is written for good, and its digest goes to the level above. */
  #push(level: number, digest: Digest, files: Map<string, Uint8Array>): void {
    const digests = (this.#levels[level] ??= []);
    digests.push(digest);
    if (digests.length < TILE) return;
    const index = this.#tree.size / TILE ** (level + 1) - 1;
    files.set(this.#path(toTilePath({ level, index, width: TILE })), Buffer.concat(digests));
    if (level === 0) {
      files.set(this.#path(toTilePath({ level: 'entries', index, width: TILE })), toBundle(this.#entries));
      this.#entries = [];
    }
    const tile = new GrowingTree();
    for (const one of digests) tile.append(one);
    this.#levels[level] = [];
    this.#push(level + 1, tile.root(), files);
  }

  /** Unfinished tiles of the size before; of a tile that is now full, all of them. A name that stays behind does no harm. */
  #dropPartial(before: readonly string[], files: ReadonlyMap<string, Uint8Array>): void {
    for (const path of before) {
      const folder = dirname(path);
      const full = files.has(folder.slice(0, -'.p'.length));
      removeIfThere(full ? folder : path);
    }
  }

  #path(path: string): string {
    return join(this.folder, path);
  }
}
