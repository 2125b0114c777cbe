// What the kernel is told of each field of a line: 80 bytes a field, as kernel/assembly/parts/field.ts reads them.
import type { FixedPoints } from '../output-claim.js';
import { toAutomaton } from './pattern.js';
import type { SearchKernel } from './search-kernel.js';

export const flags = {
  insert: 1, inside: 2, cell: 4, own: 8, key: 16, unit: 32, numeric: 64, padded: 128, longOnly: 256, modeInside: 512, modeCell: 1024, spread: 2048, law: 4096,
} as const; // prettier-ignore

const FIELD_BYTES = 80;
const COUNTER_BYTES = 256;

export interface FieldEntry {
  flags: number;
  /** Number by which hits name it. */
  column?: number;
  /** Seeds of what is looked for inside it, and of what is looked for as its whole cell. */
  seeds?: readonly bigint[];
  own?: readonly bigint[];
  space?: number;
  /** From 1. */
  pair?: number;
  /** Where its counters stand; own ones by default. */
  counters?: number;
  chance?: Chance;
  /** 0 the row, 1 the value, 2 the person and the value. */
  unit?: number;
  tagSeed?: bigint;
  ownSeed?: bigint;
  ruleSeed?: bigint;
}

export interface Chance {
  readonly kind: 0 | 1 | 2;
  readonly detail: number;
  readonly chance: number;
}

export class FieldTables {
  private readonly spaces = new Map<string, number>();

  constructor(private readonly kernel: SearchKernel) {}

  counters(): number {
    return this.kernel.allot(COUNTER_BYTES);
  }

  /** The automaton of a pattern, made once. */
  space(pattern: string): number {
    const known = this.spaces.get(pattern);
    if (known !== undefined) return known;
    const bytes = toAutomaton(pattern);
    const at = this.kernel.allot(bytes.length);
    this.kernel.put(at, bytes);
    this.spaces.set(pattern, at);
    return at;
  }

  chance(fixedPoints: FixedPoints): Chance {
    if (typeof fixedPoints === 'number') return { kind: 0, detail: 0, chance: fixedPoints };
    if ('drawn' in fixedPoints) return { kind: 1, detail: fixedPoints.drawn, chance: 0 };
    const log2 = Math.max(4, Math.ceil(Math.log2(fixedPoints.length * 2 + 1)));
    const at = this.kernel.allot(8 + 16 * 2 ** log2);
    this.kernel.view().setBigUint64(at, BigInt(log2), true);
    return { kind: 2, detail: at, chance: 0 };
  }

  /** Puts the entries down; returns where. */
  write(entries: readonly FieldEntry[]): number {
    const seeds = entries.map(({ seeds: some = [] }) => this.seeds(some));
    const own = entries.map(({ own: some = [] }) => this.seeds(some));
    const counters = entries.map((entry) => entry.counters ?? this.counters());
    const at = this.kernel.allot(FIELD_BYTES * Math.max(1, entries.length));
    const view = this.kernel.view();
    entries.forEach((entry, i) => {
      const base = at + FIELD_BYTES * i;
      const words = [
        ...[entry.flags, entry.column ?? 0, seeds[i], entry.seeds?.length, own[i], entry.own?.length, entry.space, entry.pair, counters[i]],
        ...[entry.chance?.kind, entry.chance?.detail, entry.unit],
      ];
      words.forEach((word, offset) => view.setUint32(base + 4 * offset, word ?? 0, true));
      view.setFloat64(base + 48, entry.chance?.chance ?? 0, true);
      [entry.tagSeed, entry.ownSeed, entry.ruleSeed].forEach((seed, offset) => view.setBigUint64(base + 56 + 8 * offset, seed ?? 0n, true));
      entry.counters = counters[i] as number;
    });
    return at;
  }

  /** Numbers of so many digits that were compared with originals. */
  windows(counters: number, digits: number): number {
    return digits < 6 || digits > 19 ? 0 : this.kernel.counter(counters, 12 + digits - 6);
  }

  accepts(space: number, text: string): boolean {
    return this.kernel.accepts(space, text);
  }

  /** Words into the tables of `chance`; after `seal`, because it needs the input's memory. */
  fill(chance: Chance, fixedPoints: FixedPoints): void {
    if (chance.kind !== 2 || typeof fixedPoints === 'number' || 'drawn' in fixedPoints) return;
    for (const [text, one] of fixedPoints) this.kernel.addWord(chance.detail, text, one);
  }

  private seeds(some: readonly bigint[]): number {
    if (some.length === 0) return 0;
    const at = this.kernel.allot(8 * some.length);
    const view = this.kernel.view();
    some.forEach((seed, i) => view.setBigUint64(at + 8 * i, seed, true));
    return at;
  }
}
