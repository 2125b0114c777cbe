// The checker of one log: it hashes every entry anew, holds the entries against the tiles and both against the signed root, and says which of
// them is wrong. Roots alone would not do: a payload that was changed under an unchanged root must be named, with its entry.
import { type Finding, type Where, toFinding } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/messages.js';
import type { Checkpoint } from '../event.js';
import { digestBytes } from '../../kernel/digest.js';
import { type ParsedLeaf, parseCanonical, parseLeaf, toPayloadPath } from './leaf.js';
import { type LogFiles, listWiderWidths, readTile, toRoot } from './log-files.js';
import { TILE } from './tile.js';
import { type Digest, GrowingTree, toLeafDigest } from './tree.js';

export interface LogReport {
  readonly findings: readonly Finding[];
  /** The first and the last entry, as far as they could be read. */
  readonly first: ParsedLeaf | undefined;
  readonly last: ParsedLeaf | undefined;
  /** Roots, in base64, that the log had at the sizes asked for; those beyond its end are missing. */
  readonly roots: ReadonlyMap<number, string>;
  /** Events of the chain itself (`log.…`), each with its place. */
  readonly chain: readonly ChainEntry[];
}

export interface ChainEntry extends ParsedLeaf {
  readonly entry: number;
}

/** What one log says that could be told apart; the rest is counted. */
const MOST_FINDINGS = 100;

/** `checkpoint` is what the log is held against; `sizes` are those of which the root is wanted. */
export async function verifyLog(files: LogFiles, log: string, checkpoint: Checkpoint, sizes: readonly number[]): Promise<LogReport> {
  const walk = new Walk(files, log, checkpoint, new Set(sizes));
  await walk.entries();
  await walk.behind();
  walk.judge();
  return walk.report();
}

interface Mismatch {
  readonly entry: number;
  readonly entryDigest: Digest;
  readonly tileDigest: Digest | undefined;
  readonly path: string;
}

class Walk {
  readonly #findings: Finding[] = [];
  #untold = 0;
  /** Of the entries as they are, and of the digests in the tiles of level 0. */
  readonly #ofEntries = new GrowingTree();
  readonly #ofTiles = new GrowingTree();
  readonly #mismatches: Mismatch[] = [];
  readonly #roots = new Map<number, string>();
  readonly #chain: ChainEntry[] = [];
  /** Digests that the tiles of the next level MUST have, by level. */
  readonly #above: Digest[][] = [];
  #first: ParsedLeaf | undefined;
  #last: ParsedLeaf | undefined;
  #replayed = false;

  constructor(
    private readonly files: LogFiles,
    private readonly log: string,
    private readonly checkpoint: Checkpoint,
    private readonly sizes: ReadonlySet<number>,
  ) {}

  /** Bundle by bundle: the memory of a checker does not depend on the log's length. */
  async entries(): Promise<void> {
    const { size } = this.checkpoint;
    for (let index = 0; index * TILE < size; index++) {
      const width = Math.min(TILE, size - index * TILE);
      const bundle = await readTile(this.files, this.log, { level: 'entries', index, width });
      const tile = await readTile(this.files, this.log, { level: 0, index, width });
      this.#replayed ||= bundle.wider || tile.wider;
      if (bundle.items.length < width)
        this.#say('LOG_ENTRIES_MISSING', { entry: index * TILE + bundle.items.length, amount: String(size), file: bundle.path });
      if (tile.items.length < width) this.#say('LOG_TILE_CHANGED', { file: tile.path });
      for (const [i, bytes] of bundle.items.entries()) await this.#entry(index * TILE + i, bytes, tile.items[i], bundle.path);
      for (const digest of tile.items) this.#ofTiles.append(digest);
      if (width === TILE) await this.#tileAbove(1, index, toRoot(tile.items));
      if (bundle.items.length < width) break;
    }
    await this.#lastTilesAbove();
  }

  async #entry(entry: number, bytes: Buffer, tileDigest: Digest | undefined, path: string): Promise<void> {
    const entryDigest = toLeafDigest(bytes);
    this.#ofEntries.append(entryDigest);
    if (this.sizes.has(entry + 1)) this.#roots.set(entry + 1, this.#ofEntries.root().toString('base64'));
    if (!tileDigest?.equals(entryDigest)) this.#mismatches.push({ entry, entryDigest, tileDigest, path });
    const leaf = parseLeaf(bytes);
    if (!leaf) return void this.#say('LOG_ENTRY_MALFORMED', { entry, file: path });
    if (entry === 0) this.#first = leaf;
    this.#last = leaf;
    if (leaf.event.stage === 'audit') this.#chain.push({ ...leaf, entry });
    if (leaf.payload) await this.#payload(entry, leaf.payload);
  }

  async #payload(entry: number, { digest, bytes: size }: NonNullable<ParsedLeaf['payload']>): Promise<void> {
    const file = toPayloadPath(digest);
    const bytes = await this.files.read(`${this.log}/${file}`);
    if (!bytes) this.#say('LOG_PAYLOAD_MISSING', { entry, file });
    else if (bytes.length !== size || digestBytes(bytes) !== digest || parseCanonical(bytes) === undefined)
      this.#say('LOG_PAYLOAD_CHANGED', { entry, file });
  }

  /** A full tile's digest stands in the level above; that level's tile is looked at when it is full, or when the log ends. */
  async #tileAbove(level: number, index: number, digest: Digest): Promise<void> {
    const expected = (this.#above[level] ??= []);
    expected.push(digest);
    if (expected.length === TILE) await this.#compareTile(level, Math.floor(index / TILE), expected);
  }

  async #lastTilesAbove(): Promise<void> {
    for (let level = 1; level < this.#above.length; level++) {
      const left = this.#above[level] ?? [];
      if (left.length > 0) await this.#compareTile(level, Math.floor(this.checkpoint.size / TILE ** (level + 1)), left);
    }
  }

  async #compareTile(level: number, index: number, expected: Digest[]): Promise<void> {
    const width = expected.length;
    const { items, path } = await readTile(this.files, this.log, { level, index, width });
    if (items.length !== width || !items.every((digest, i) => digest.equals(expected[i]!))) this.#say('LOG_TILE_CHANGED', { file: path });
    this.#above[level] = [];
    if (width === TILE) await this.#tileAbove(level + 1, index, toRoot(expected));
  }

  /**
   * What stands behind the checkpoint. A crash leaves the tiles of both sizes; whoever puts an older checkpoint back has those of its size no
   * more, because they were dropped when the log grew.
   */
  async behind(): Promise<void> {
    const { size } = this.checkpoint;
    const index = Math.floor(size / TILE);
    const next = { level: 'entries', index, width: size % TILE } as const;
    const more = await listWiderWidths(this.files, this.log, next);
    if (this.#replayed) this.#say('LOG_CHECKPOINT_REPLAYED', { amount: String(size), file: 'checkpoint' });
    else if (more.length > 0) this.#say('LOG_UNFINISHED', { entry: size, file: this.log }, 'warning');
  }

  /** Entries and tiles cannot both be right where they differ: the signed root says which is. */
  judge(): void {
    const { size, root } = this.checkpoint;
    const right = (tree: GrowingTree): boolean => tree.size === size && tree.root().toString('base64') === root;
    const entriesAreRight = right(this.#ofEntries);
    const tilesAreRight = right(this.#ofTiles);
    if (entriesAreRight) for (const { entry } of this.#mismatches) this.#say('LOG_TILE_CHANGED', { entry, file: 'tile/0' });
    else {
      this.#nameChanged();
      if (!tilesAreRight && this.#ofEntries.size === size) this.#say('LOG_REWRITTEN', { amount: String(size), file: this.log });
    }
  }

  #nameChanged(): void {
    const mismatches = new Map(this.#mismatches.map((mismatch) => [mismatch.entry, mismatch]));
    const placeOf = new Map(this.#mismatches.map(({ entry, entryDigest }) => [entryDigest.toString('base64'), entry]));
    for (const { entry, entryDigest, tileDigest, path } of this.#mismatches) {
      if (!tileDigest) continue;
      // The entry that belongs here stands elsewhere, and the one from there stands here.
      const other = placeOf.get(tileDigest.toString('base64'));
      const swapped = other !== undefined && mismatches.get(other)?.tileDigest?.equals(entryDigest) === true;
      if (!swapped) this.#say('LOG_ENTRY_CHANGED', { entry, file: path });
      else if (entry < other) this.#say('LOG_ENTRIES_SWAPPED', { entry, expected: String(other), file: path });
    }
  }

  report(): LogReport {
    if (this.#untold > 0) this.#findings.push(toFinding('LOG_MORE_FINDINGS', { file: this.log, amount: String(this.#untold) }));
    return { findings: this.#findings, first: this.#first, last: this.#last, roots: this.#roots, chain: this.#chain };
  }

  #say(code: ErrorCode, where: Where, severity: Finding['severity'] = 'error'): void {
    if (this.#findings.length >= MOST_FINDINGS) this.#untold += 1;
    else
      this.#findings.push(
        toFinding(
          code,
          { ...where, ...(where.file === this.log || where.file === undefined ? {} : { file: `${this.log}/${where.file}` }) },
          severity,
        ),
      );
  }
}
