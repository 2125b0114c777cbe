// The originals that are looked for: read from the source once (or once a part, where memory holds no more), and once again when candidates
// have to be confirmed.
import { toError } from '../../kernel/errors.js';
import type { Reader } from '../ports.js';
import { type FieldEntry, type FieldTables, flags } from './field-table.js';
import { type Leaf, isNumeric } from './leaves.js';
import { type Hit, type SearchKernel, counters } from './search-kernel.js';

/** What was seen of a leaf's originals. */
export interface Seen {
  readonly originals: number;
  /** Of the declared output space: where such stand, a pseudonym may stand as well. */
  readonly inSpace: number;
  /** Looked for inside text and everywhere, and in the columns of the tag only. */
  readonly everywhere: number;
  readonly ownOnly: number;
  /** Distinct numbers of n digits, by n. */
  readonly numbers: readonly number[];
}

interface Group {
  readonly leaves: readonly Leaf[];
  readonly fields: number;
  readonly counters: readonly number[];
}

const nothing: Seen = { originals: 0, inSpace: 0, everywhere: 0, ownOnly: 0, numbers: [] };
const MOST_PARTS = 1024;

export class Originals {
  private readonly groups: readonly Group[];
  private readonly tags = new Map<string, number>();
  private seen = new Map<Leaf, Seen>();
  private parts = 1;
  /** The part of the originals that the set holds; -1: none. */
  private held = -1;

  constructor(
    private readonly reader: Reader,
    private readonly kernel: SearchKernel,
    private readonly tables: FieldTables,
    leaves: readonly Leaf[],
    private readonly slots: string,
  ) {
    this.groups = groupLeaves(leaves.filter(isLookedFor)).map((group) => {
      const entries = group.map((leaf, i): FieldEntry => ({ ...this.toEntry(leaf), column: i }));
      const fields = tables.write(entries);
      return { leaves: group, fields, counters: entries.map((entry) => entry.counters as number) };
    });
  }

  /** Of what is looked for everywhere. */
  get seed(): bigint {
    return this.kernel.seed;
  }

  /** Of the originals of a tag that lie in its output space. */
  tagSeed(tag: string): bigint {
    const known = this.tags.get(tag) ?? this.tags.size + 1;
    this.tags.set(tag, known);
    return BigInt.asUintN(64, this.kernel.seed ^ (BigInt(known) * 0x9e3779b97f4a7c15n));
  }

  /** Of the originals of a tag that are looked for in its own columns only. */
  ownSeed(tag: string): bigint {
    return BigInt.asUintN(64, this.tagSeed(tag) * 0xd1342543de82ef95n + 1n);
  }

  of(leaf: Leaf): Seen {
    return this.seen.get(leaf) ?? nothing;
  }

  get numberOfParts(): number {
    return this.parts;
  }

  /** The pass over the source; doubles the parts until one fits. */
  async collect(): Promise<void> {
    for (;;) {
      await this.hold(0);
      if (!this.kernel.dropped) break;
      this.parts *= 2;
      this.held = -1;
      if (this.parts > MOST_PARTS) throw toError('VERIFY_MEMORY', { stage: 'verify', amount: this.slots });
    }
    this.seen = new Map(this.groups.flatMap((group) => group.leaves.map((leaf, i) => [leaf, this.read(group.counters[i] as number)])));
  }

  /** The set holds the originals of this part afterwards. */
  async hold(part: number): Promise<void> {
    if (this.held === part) return;
    this.held = part;
    this.kernel.beginSet(part, this.parts);
    for (const { counters: some } of this.groups) for (const at of some) this.kernel.put(at, new Uint8Array(256));
    await this.stream(() => undefined);
    if (this.kernel.dropped && part > 0) throw toError('VERIFY_MEMORY', { stage: 'verify', amount: this.slots });
  }

  /** Reads the source again and hands on every original whose hash is one of these; the set is gone afterwards. */
  async find(hashes: Iterable<bigint>, onFound: (leaf: Leaf, hit: Hit) => void): Promise<void> {
    this.held = -1;
    this.kernel.beginProbing(hashes);
    try {
      await this.stream(onFound);
    } finally {
      this.kernel.endProbing();
    }
  }

  private async stream(onFound: (leaf: Leaf, hit: Hit) => void): Promise<void> {
    this.kernel.noPairs();
    for (const { leaves, fields } of this.groups) {
      const [first] = leaves as [Leaf];
      const lines = this.kernel.lines(fields, true);
      const onHit = (hit: Hit): void => onFound(leaves[hit.column] as Leaf, hit);
      const chunks = this.reader.lines('source', first.table, leaves.map(({ field }) => field)); // prettier-ignore
      for await (const chunk of chunks) this.kernel.feed(lines, chunk, onHit);
    }
  }

  private toEntry({ claim, reach, tag, type }: Leaf): FieldEntry {
    const spread = claim.output === 'overlapping';
    return {
      flags:
        flags.insert |
        (reach === 'inside' ? flags.modeInside : reach === 'cell' ? flags.modeCell : 0) |
        (spread ? flags.spread : 0) |
        (type.base === 'bpchar' ? flags.padded : 0) |
        (isNumeric(type.base) ? flags.numeric : 0),
      ...(claim.pattern === undefined ? {} : { space: this.tables.space(claim.pattern) }),
      tagSeed: this.tagSeed(tag),
      ownSeed: this.ownSeed(tag),
    };
  }

  private read(at: number): Seen {
    const count = (counter: number): number => this.kernel.counter(at, counter);
    const numbers = Array.from({ length: 20 }, (_, n) => (n < 6 ? 0 : count(counters.windows + n - 6) * this.parts));
    return {
      originals: count(counters.originals),
      inSpace: count(counters.inSpace),
      everywhere: count(counters.distinctive),
      ownOnly: count(counters.outsideSpace),
      numbers,
    };
  }
}

/** Spread over the space of the originals, only what is told by its form can be looked for, and only where no pseudonym of the tag stands. */
function isLookedFor({ claim, reach }: Leaf): boolean {
  return claim.output === 'disjoint' || (claim.output === 'overlapping' && reach === 'inside');
}

/** Leaves that one COPY can give: the single-valued ones of a table together, a multi-valued one alone. */
function groupLeaves(leaves: readonly Leaf[]): readonly (readonly Leaf[])[] {
  const groups = new Map<string, Leaf[]>();
  leaves.forEach((leaf, i) => {
    const key = `${leaf.table.oid}${leaf.multiple ? `:${i}` : ''}`;
    groups.set(key, [...(groups.get(key) ?? []), leaf]);
  });
  return [...groups.values()];
}
