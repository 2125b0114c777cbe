// Where a log's files lie and how entries stand in them: the layout of https://c2sp.org/tlog-tiles. Arithmetic only.

/** Digests in a full tile, and entries in a full bundle. */
export const TILE = 256;

export interface Tile {
  /** `entries`: a bundle of entries. 0: digests of leaves; above: digests of full tiles of the level below. */
  readonly level: number | 'entries';
  readonly index: number;
  /** 1 to 256. */
  readonly width: number;
}

/** `tile/<level>/<index in groups of three digits>[.p/<width>]`. */
export function toTilePath({ level, index, width }: Tile): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const path = groups.map((group, i) => (i === groups.length - 1 ? group : `x${group}`)).join('/');
  return `tile/${level}/${path}${width === TILE ? '' : `.p/${width}`}`;
}

/** Undefined for what toTilePath gives for no tile. */
export function parseTilePath(path: string): Tile | undefined {
  const [, level = '', groups = '', partial] =
    /^tile\/(entries|\d|[1-5]\d|6[0-3])\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path) ?? [];
  if (groups === '') return undefined;
  const width = partial === undefined ? TILE : Number(partial);
  const tile: Tile = { level: level === 'entries' ? level : Number(level), index: Number(groups.replace(/x|\//g, '')), width };
  return toTilePath(tile) === path ? tile : undefined;
}

/** The last tile of each level of a tree, and its last bundle: all that changes when the tree grows. Levels from 0 up, then the bundle. */
export function toEdgeTiles(size: number): readonly Tile[] {
  const tiles: Tile[] = [];
  for (let [level, count] = [0, size]; count > 0; level++, count = Math.floor(count / TILE)) {
    if (count % TILE > 0) tiles.push({ level, index: Math.floor(count / TILE), width: count % TILE });
  }
  const left = size % TILE;
  return left === 0 ? tiles : [...tiles, { level: 'entries', index: Math.floor(size / TILE), width: left }];
}

/** Every tile and bundle of a log of so many entries. */
export function* listTiles(size: number): Generator<Tile> {
  for (let [level, count] = [0, size]; count > 0; level++, count = Math.floor(count / TILE)) {
    for (let index = 0; index * TILE < count; index++) {
      const width = Math.min(TILE, count - index * TILE);
      if (level === 0) yield { level: 'entries', index, width };
      yield { level, index, width };
    }
  }
}

/** Entries of at most 65,535 bytes, each after its length in two bytes. */
export function toBundle(entries: readonly Uint8Array[]): Buffer {
  const bundle = Buffer.allocUnsafe(entries.reduce((sum, { length }) => sum + 2 + length, 0));
  let at = 0;
  for (const entry of entries) {
    at = bundle.writeUInt16BE(entry.length, at);
    bundle.set(entry, at);
    at += entry.length;
  }
  return bundle;
}

/** The whole entries of a bundle; `torn` when it ends within one. */
export function parseBundle(bundle: Buffer): { readonly entries: readonly Buffer[]; readonly torn: boolean } {
  const entries: Buffer[] = [];
  let at = 0;
  while (at + 2 <= bundle.length) {
    const end = at + 2 + bundle.readUInt16BE(at);
    if (end > bundle.length) break;
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return { entries, torn: at !== bundle.length };
}

export function parseTile(bytes: Buffer): readonly Buffer[] {
  return Array.from({ length: Math.floor(bytes.length / 32) }, (_, i) => bytes.subarray(i * 32, i * 32 + 32));
}
