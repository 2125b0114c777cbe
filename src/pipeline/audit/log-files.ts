// A chain's files as a checker gets them: names and bytes, from wherever they lie. It believes nothing that it reads.
import { type Tile, TILE, parseBundle, parseTile, toTilePath } from './tile.js';
import { type Digest, GrowingTree, type NodeAt } from './tree.js';

/** A folder with one folder per log of the chain. Neither function may reject for what is not there. */
export interface LogFiles {
  /** Undefined when there is no such file. */
  readonly read: (path: string) => Promise<Buffer | undefined>;
  /** Names in a folder; none when there is no such folder. */
  readonly list: (path: string) => Promise<readonly string[]>;
}

/** The logs of a chain, oldest first: a log is named by the period that it began in. */
export async function listLogs(files: LogFiles): Promise<readonly string[]> {
  return (await files.list('')).filter((name) => /^\d{4}(-\d{2})?$/.test(name)).sort();
}

export interface ReadTile {
  readonly items: readonly Buffer[];
  readonly path: string;
  /** Not the file of just this width, but of a wider tile: of a log that has grown since. */
  readonly wider: boolean;
}

/** The first `width` items of a tile or bundle; fewer where they are missing. */
export async function readTile(files: LogFiles, log: string, tile: Tile): Promise<ReadTile> {
  const exact = toTilePath(tile);
  const bytes = await files.read(`${log}/${exact}`);
  const parse = (found: Buffer): readonly Buffer[] =>
    (tile.level === 'entries' ? parseBundle(found).entries : parseTile(found)).slice(0, tile.width);
  if (bytes) return { items: parse(bytes), path: exact, wider: false };
  for (const width of await listWiderWidths(files, log, tile)) {
    const path = toTilePath({ ...tile, width });
    const found = await files.read(`${log}/${path}`);
    if (found) return { items: parse(found), path, wider: true };
  }
  return { items: [], path: exact, wider: false };
}

/** Widths above the tile's own in which it lies there, too. */
export async function listWiderWidths(files: LogFiles, log: string, tile: Tile): Promise<readonly number[]> {
  const full = toTilePath({ ...tile, width: TILE });
  const partial = (await files.list(`${log}/${full}.p`)).filter((name) => /^[1-9]\d{0,2}$/.test(name)).map(Number);
  const whole = tile.width < TILE && (await files.read(`${log}/${full}`)) !== undefined ? [TILE] : [];
  return [...partial.filter((width) => width > tile.width && width < TILE).sort((a, b) => a - b), ...whole];
}

/** Digests of whole subtrees, out of the tiles of a log of `size` entries. */
export function toNodeAt(files: LogFiles, log: string, size: number): NodeAt {
  const tiles = new Map<string, Promise<ReadTile>>();
  const readLevel = (level: number, index: number): Promise<ReadTile> => {
    const key = `${level}/${index}`;
    const width = Math.min(TILE, Math.floor(size / TILE ** level) - index * TILE);
    const reading = tiles.get(key) ?? readTile(files, log, { level, index, width });
    tiles.set(key, reading);
    return reading;
  };
  return async (height, index) => {
    const level = Math.floor(height / 8);
    const [count, from] = [2 ** (height % 8), index * 2 ** (height % 8)];
    const { items } = await readLevel(level, Math.floor(from / TILE));
    return toRoot(items.slice(from % TILE, (from % TILE) + count));
  };
}

export function toRoot(digests: readonly Digest[]): Digest {
  const tree = new GrowingTree();
  for (const digest of digests) tree.append(digest);
  return tree.root();
}
