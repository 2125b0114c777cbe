// The right edge of a log's tree, which is all that it takes to go on: the digests of the last, unfinished tile of each level.
import { TILE, type Tile, toEdgeTiles } from './tile.js';
import { type Digest, GrowingTree } from './tree.js';

/** A tile of the level below that is full, and its place on its own level. */
export interface FullTile {
  /** At least 1. */
  readonly level: number;
  readonly index: number;
  readonly digest: Digest;
}

export class LogEdge {
  readonly #levels: Digest[][] = [];
  readonly #tree = new GrowingTree();

  /** Of a log of `size` leaves. What it gives is no better than what is read: its root MUST be held against the one that was signed. */
  static async read(size: number, readTile: (tile: Tile) => Promise<readonly Digest[]>): Promise<LogEdge> {
    const edge = new LogEdge();
    for (const tile of toEdgeTiles(size).toReversed()) {
      if (tile.level === 'entries') continue;
      const digests = await readTile(tile);
      edge.#levels[tile.level] = [...digests];
      for (const digest of digests) edge.#tree.append(digest, TILE ** tile.level);
    }
    return edge;
  }

  get size(): number {
    return this.#tree.size;
  }

  /** In base64. */
  get root(): string {
    return this.#tree.root().toString('base64');
  }

  /** The tiles that are full with this leaf, lowest first. */
  append(leaf: Digest): readonly FullTile[] {
    this.#tree.append(leaf);
    const full: FullTile[] = [];
    let digest = leaf;
    for (let level = 0; ; level++) {
      const digests = (this.#levels[level] ??= []);
      digests.push(digest);
      if (digests.length < TILE) return full;
      const tile = new GrowingTree();
      for (const one of digests) tile.append(one);
      this.#levels[level] = [];
      digest = tile.root();
      full.push({ level: level + 1, index: this.#tree.size / TILE ** (level + 1) - 1, digest });
    }
  }
}
