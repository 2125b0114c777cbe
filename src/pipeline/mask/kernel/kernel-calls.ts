// What assembly/masking.ts exports: addresses and counts. What each call does stands there.
import type { WasmMemory } from '../../../kernel/wasm.js';

/** A function of addresses and counts. */
type Call = (...numbers: number[]) => number;

export interface KernelCalls {
  readonly memory: WasmMemory;
  begin(): number;
  grow(end: number): void;
  countStops(at: number, length: number): number;
  scanLines(at: number, length: number, fields: number, stops: number, flags: number): number;
  fieldColumn(stops: number, fields: number, field: number, rows: number, starts: number, ends: number): void;
  unescapeColumn(starts: number, ends: number, rows: number): void;
  trimSpaces(starts: number, ends: number, rows: number, toEnds: number): void;
  isShort(starts: number, ends: number, rows: number, length: number): number;
  shiftColumn(starts: number, ends: number, rows: number, by: number): void;
  longestValue(): number;
  readonly cmacFirst: Call;
  readonly cmacNext: Call;
  readonly rowSeeds: Call;
  readonly walkJson: Call;
  jsonFailure(): number;
  jsonFailedRow(): number;
  jsonFailedDepth(): number;
  jsonKeys(): number;
  countLeaves(edits: number, stop: number, counts: number): void;
  placeLeaves(edits: number, firsts: number, rows: number, rowOf: number, slots: number): void;
  readonly renderJson: Call;
  readonly pickWords: Call;
  readonly writeTokens: Call;
  readonly writeStreets: Call;
  readonly writePhones: Call;
  readonly writeBirthDays: Call;
  readonly writeNineDigits: Call;
  readonly writeCards: Call;
  readonly writeAddresses: Call;
  readonly writeReplaced: Call;
  readonly readIbans: Call;
  readonly packIbans: Call;
  readonly writeIbans: Call;
  joinLines(pieces: number, count: number, rows: number, out: number): number;
  unwrittenAt(): number;
  unwrittenIn(): number;
}
