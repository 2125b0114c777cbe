// hot path: memory and calls of the WebAssembly kernel that searches and pairs (kernel/assembly/search.ts).
import { type WasmMemory, loadWasm } from '../../kernel/wasm.js';
import { toLetterTable } from './letters.js';

interface Exports {
  readonly memory: WasmMemory;
  begin(seed: bigint, hits: number, room: number, kinds: number, folds: number, chances: number, apart: number): void;
  resetSet(at: number, log2: number, lengths: number, part: number, parts: number): void;
  sizeOfSet(): number;
  droppedOfSet(): bigint;
  setProbing(on: boolean): void;
  addCandidate(hash: bigint): void;
  lengthsOfNumbers(): number;
  setLengthsOfNumbers(bits: number): void;
  run(at: number, length: number, folded: number, scratch: number, fields: number, row: number, source: boolean): number;
  hitsSeen(): number;
  rowsSeen(): number;
  addWord(table: number, start: number, end: number, chance: number): void;
  fold(from: number, to: number, length: number): void;
  beginPairs(pairs: number, place: boolean, elements: boolean, heads: number, records: number, room: number): void;
  beginUnits(at: number, log2: number, part: number, parts: number): void;
  beginEvents(at: number, room: number): void;
  beginSide(): void;
  rowsWaiting(): number;
  rowsLost(): bigint;
  lostUnits(): bigint;
  eventsSeen(): number;
  accepts(space: number, start: number, end: number): number;
  beginSample(mode: number, at: number): void;
  sampledSeen(): number;
}

export const hitKinds = { token: 1, digits: 2, cell: 3, own: 4, law: 5 } as const;
export const counters = {
  originals: 0, inSpace: 1, distinctive: 2, outsideSpace: 3, expected: 4, units: 5, pairs: 6, excluded: 7, nullsFilled: 8, nullsMade: 9, compared: 10, windows: 12,
} as const; // prettier-ignore

/** Where a candidate was seen. `value`: small letters, up to 64 bytes; `cell`: the whole cell as COPY printed it. */
export interface Hit {
  readonly kind: number;
  readonly column: number;
  readonly row: number;
  readonly hash: bigint;
  readonly value: string;
  readonly cell: string;
}

export interface PairEvent {
  readonly kind: 'fixed' | 'other';
  readonly pair: number;
  readonly sourceRow: number;
  readonly row: number;
  readonly digest: number;
}

const STATIC = 1 << 16;
const HIT_ROOM = 4096;
const EVENT_ROOM = 1 << 16;
const HITS = STATIC;
const EVENTS = HITS + HIT_ROOM * 96;
const LENGTHS = EVENTS + EVENT_ROOM * 20;
/** Keys of sampled rows, then the lines that have them, as kernel/assembly/parts/sample.ts has it. */
const SAMPLE_KEYS = 8 << 12;
const SAMPLE_BYTES = SAMPLE_KEYS + (12 << 12);
const sampleModes = { off: 0, keys: 1, lines: 2 } as const;
const HEADS = LENGTHS + (8 << 20) + (2 << 16);
const SET = HEADS + (4 << 17);

/** Lines of one stream: what is left of a chunk waits for the next. */
export interface Lines {
  readonly fields: number;
  readonly source: boolean;
  rows: number;
  held: Uint8Array;
}

/** A line of the output whose key is a sampled row's. */
export interface SampledLine {
  readonly row: number;
  readonly line: Uint8Array;
}

export class SearchKernel {
  private readonly wasm: Exports;
  /** Set, then units, then what is allotted for good (field tables, automata), then waiting rows, then the input. */
  private readonly units: number;
  private next: number;
  private pairsAt = 0;
  private input = 0;
  private readonly sampleAt: number;

  constructor(
    private readonly setLog2: number,
    private readonly unitsLog2: number,
    readonly seed: bigint,
  ) {
    this.wasm = loadWasm<Exports>('search');
    this.units = SET + 4 * 2 ** setLog2;
    this.next = this.units + 8 * 2 ** unitsLog2;
    this.input = this.next;
    this.reserve(SET);
    this.sampleAt = this.allot(SAMPLE_BYTES);
    const { kinds, folds, chances, apart } = toLetterTable();
    this.wasm.begin(seed, HITS, HIT_ROOM, this.keep(kinds), this.keep(folds), this.keep(chances), this.keep(apart));
  }

  private keep({ buffer, byteOffset, byteLength }: Uint8Array | Int32Array | Float64Array): number {
    const at = this.allot(byteLength);
    this.put(at, new Uint8Array(buffer, byteOffset, byteLength));
    return at;
  }

  /** Bytes for good; MUST NOT be asked for while a stream is fed. */
  allot(bytes: number): number {
    const at = (this.next + 15) & ~15;
    this.next = at + bytes;
    this.reserve(this.next);
    new Uint8Array(this.wasm.memory.buffer, at, bytes).fill(0);
    return at;
  }

  view(): DataView {
    return new DataView(this.wasm.memory.buffer);
  }

  put(at: number, bytes: Uint8Array): void {
    new Uint8Array(this.wasm.memory.buffer, at, bytes.length).set(bytes);
  }

  beginSet(part: number, parts: number): void {
    this.reserve(this.units);
    this.wasm.resetSet(SET, this.setLog2, LENGTHS, part, parts);
  }

  get dropped(): boolean {
    return this.wasm.droppedOfSet() > 0n;
  }

  /** From now on originals are compared with the candidates of these hashes. */
  beginProbing(hashes: Iterable<bigint>): void {
    this.wasm.resetSet(SET, this.setLog2, LENGTHS, 0, 1);
    for (const hash of hashes) this.wasm.addCandidate(hash);
    this.wasm.setProbing(true);
  }

  endProbing(): void {
    this.wasm.setProbing(false);
  }

  /** `room`: rows that may wait. */
  beginPairs(pairs: number, byPlace: boolean, elements: boolean, room: number): void {
    this.pairsAt = (this.next + 15) & ~15;
    this.input = this.pairsAt + (24 + 8 * pairs) * room;
    this.reserve(this.input);
    this.wasm.beginPairs(pairs, byPlace, elements, HEADS, this.pairsAt, room);
    this.wasm.beginEvents(EVENTS, EVENT_ROOM);
    this.wasm.beginSide();
  }

  noPairs(): void {
    this.pairsAt = (this.next + 15) & ~15;
    this.input = this.pairsAt;
    this.wasm.beginPairs(0, false, false, HEADS, this.pairsAt, 1);
  }

  beginUnits(part: number, parts: number): void {
    this.reserve(this.units + 8 * 2 ** this.unitsLog2);
    this.wasm.beginUnits(this.units, this.unitsLog2, part, parts);
  }

  get pairsState(): { readonly waiting: number; readonly rowsLost: boolean; readonly unitsLost: boolean; readonly events: number } {
    return {
      waiting: this.wasm.rowsWaiting(),
      rowsLost: this.wasm.rowsLost() > 0n,
      unitsLost: this.wasm.lostUnits() > 0n,
      events: this.wasm.eventsSeen(),
    };
  }

  /** The events so far (the first 65,536 at most); they are forgotten. */
  takeEvents(): PairEvent[] {
    const count = Math.min(this.wasm.eventsSeen(), EVENT_ROOM);
    const view = this.view();
    const word = (i: number, at: number): number => view.getUint32(EVENTS + i * 20 + at, true);
    const events = Array.from({ length: count }, (_, i): PairEvent => ({
      kind: word(i, 0) === 1 ? 'fixed' : 'other',
      ...{ pair: word(i, 4), sourceRow: word(i, 8), row: word(i, 12), digest: word(i, 16) },
    }));
    this.wasm.beginEvents(EVENTS, EVENT_ROOM);
    return events;
  }

  addWord(table: number, word: string, chance: number): void {
    const bytes = Buffer.from(word);
    const at = this.next + 64;
    this.reserve(at + 2 * bytes.length + 64);
    this.put(at, bytes);
    this.wasm.fold(at, at + bytes.length + 16, bytes.length);
    this.wasm.addWord(table, at + bytes.length + 16, at + 2 * bytes.length + 16, chance);
  }

  accepts(space: number, text: string): boolean {
    const bytes = Buffer.from(text);
    const at = this.next + 64;
    this.reserve(at + bytes.length + 16);
    this.put(at, bytes);
    return this.wasm.accepts(space, at, at + bytes.length) !== 0;
  }

  lines(fields: number, source: boolean): Lines {
    return { fields, source, rows: 0, held: new Uint8Array(0) };
  }

  /** The next bytes of a stream; hits are handed on. */
  feed(lines: Lines, chunk: Uint8Array, onHit: (hit: Hit) => void): void {
    const length = lines.held.length + chunk.length;
    const folded = this.input + length + 32;
    // Unescaping in layers never takes more than the line itself, once a layer.
    const scratch = folded + length + 32;
    this.reserve(scratch + 5 * length + 256);
    this.put(this.input, lines.held);
    this.put(this.input + lines.held.length, chunk);
    const used = this.wasm.run(this.input, length, folded, scratch, lines.fields, lines.rows, lines.source);
    const seen = this.wasm.hitsSeen();
    if (seen > 0) this.tell(Math.min(seen, HIT_ROOM), onHit);
    lines.rows += this.wasm.rowsSeen();
    lines.held = new Uint8Array(this.wasm.memory.buffer, this.input + used, length - used).slice();
  }

  /** `keys`: those of the lines of the source that are fed; `lines`: lines of the output with these keys are told by `sampled`. */
  sample(mode: keyof typeof sampleModes): void {
    this.wasm.beginSample(sampleModes[mode], this.sampleAt);
  }

  /** Sampled lines of what was fed last. */
  sampled(): readonly SampledLine[] {
    const count = this.wasm.sampledSeen();
    if (count === 0) return [];
    const { buffer } = this.wasm.memory;
    const view = this.view();
    return Array.from({ length: count }, (_, i) => {
      const at = this.sampleAt + SAMPLE_KEYS + 12 * i;
      const from = this.input + view.getUint32(at + 4, true);
      const end = this.input + view.getUint32(at + 8, true);
      return { row: view.getUint32(at, true), line: new Uint8Array(buffer, from, end - from).slice() };
    });
  }

  counter(at: number, counter: number): number {
    return Number(this.view().getBigUint64(at + 8 * counter, true));
  }

  expected(at: number): number {
    return this.view().getFloat64(at + 8 * counters.expected, true);
  }

  private tell(count: number, onHit: (hit: Hit) => void): void {
    const { buffer } = this.wasm.memory;
    const view = this.view();
    const text = (at: number, end: number): string => Buffer.from(buffer, at, end - at).toString('latin1');
    for (let i = 0; i < count; i++) {
      const at = HITS + i * 96;
      const word = (offset: number): number => view.getUint32(at + offset, true);
      const value = text(at + 32, at + 32 + word(12));
      const cell = text(this.input + word(16), this.input + word(20));
      onHit({ kind: word(0), column: word(4), row: word(8), hash: view.getBigUint64(at + 24, true), value, cell });
    }
  }

  private reserve(end: number): void {
    // 64 more: the kernel reads whole vectors.
    const missing = end + 64 - this.wasm.memory.buffer.byteLength;
    if (missing > 0) this.wasm.memory.grow(Math.ceil(missing / 65536));
  }
}
