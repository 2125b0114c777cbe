// hot path: what the draws of a column are a function of, by scope; message bytes are built here, encrypted in prf.ts.
//
// value:   the value in canonical form.
// subject: the person's key, as it is when it is one field; else `\0subject` and each field with its length before it.
// row:     `\0row\0schema\0table\0column\0path\0`, filled with NUL to a multiple of 16, then each key field (and, inside a structured
//          value, the ordinal) with its length before it. No text of Postgres holds a NUL, so the three can never meet.
import type { Column } from '../batch.js';
import type { Scope } from '../definition.js';
import { ColumnWriter } from './column-writer.js';
import { kernel } from './kernel/kernel.js';
import { type Place, spread } from './place.js';
import { Cmac } from './prf.js';

/** What names a column, or a path inside one, for the row scope. */
export interface Identity {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly path: string;
}

/** The draws of a batch's persons under one key: names, and the parts of an address, ask for the same ones. */
export interface PersonDraws {
  /** What they were made of; a batch has its own list. */
  subjects?: Place['subjects'];
  /** Their address. */
  draws?: number;
}

const subjectMark = Buffer.from('\0subject');

export class Draws {
  private readonly plain: Cmac;
  private readonly keyed: Cmac;
  private readonly prefix: Uint8Array;
  private readonly writer = new ColumnWriter();

  constructor(
    key: Uint8Array,
    private readonly scope: Scope,
    identity: Identity,
    private readonly persons: PersonDraws = {},
  ) {
    this.prefix = toRowPrefix(identity);
    this.plain = new Cmac(key);
    this.keyed = new Cmac(key, this.prefix);
  }

  /** Where 16 bytes per value of `column`, which is in canonical form, are in the kernel's memory. Valid until the next batch. */
  compute(column: Column, place: Place): number {
    if (this.scope === 'value') return this.plain.compute(column);
    if (this.scope === 'row' || place.subjects.length === 0) return this.keyed.compute(this.toRowSeeds(column, place));
    const seeds = this.toSubjectSeeds(column, place);
    // Only where they are the person's field as it is do they not depend on the column.
    if (seeds !== place.subjects[0]) return this.plain.compute(seeds);
    const { persons } = this;
    if (persons.subjects !== place.subjects || persons.draws === undefined) {
      persons.draws = this.plain.compute(seeds);
      persons.subjects = place.subjects;
    }
    return persons.draws;
  }

  private toSubjectSeeds(column: Column, place: Place): Column {
    const { rows } = place;
    const only = place.subjects.length === 1 ? (place.subjects[0] as Column) : null;
    if (only && !hasNull(only)) return rows ? spread(only, rows, column.rows) : only;
    const { writer } = this;
    writer.reset(column.rows);
    this.at = 0;
    for (let i = 0; i < column.rows; i++) {
      const row = rows ? (rows[i] as number) : i;
      if (column.ends[i] === -1) writer.null(i);
      else if (place.subjects.some((field) => field.ends[row] === -1)) {
        this.put(this.prefix);
        this.putRow(place, i, row);
        writer.end(i, this.at);
      } else if (only) writer.copy(i, only.bytes, only.starts[row] as number, only.ends[row] as number);
      else {
        this.put(subjectMark);
        for (const field of place.subjects) this.putField(field, row);
        writer.end(i, this.at);
      }
      this.at = writer.length;
    }
    return writer;
  }

  private toRowSeeds(column: Column, place: Place): Column {
    const memory = kernel();
    const { rows, endsAt } = memory.toMemory(column);
    const { rowKeys, rows: rowOf, ordinals } = place;
    if (rowKeys.length === 0) {
      const first = column.ends.subarray(0, rows).findIndex((end) => end !== -1);
      if (first !== -1) place.fail('MASK_ROW_KEY_MISSING', rowOf ? (rowOf[first] as number) : first);
    }
    const fields = rowKeys.map((field) => memory.toMemory(field)).flatMap(({ startsAt, endsAt: at }) => [startsAt, at]);
    const at = [memory.putInts(fields), rowKeys.length, rowOf ? memory.addressOf(rowOf) : 0, ordinals ? memory.addressOf(ordinals) : 0];
    const seeds = memory.takeColumn(rows);
    memory.used(memory.calls.rowSeeds(endsAt, rows, ...at, seeds.startsAt, seeds.endsAt, memory.open));
    return seeds;
  }

  /** Where the next byte goes. */
  private at = 0;

  private putRow(place: Place, value: number, row: number): void {
    if (place.rowKeys.length === 0) place.fail('MASK_ROW_KEY_MISSING', row);
    for (const field of place.rowKeys) this.putField(field, row);
    if (place.ordinals) this.putNumber(place.ordinals[value] as number);
  }

  private putField(field: Column, row: number): void {
    const start = field.starts[row] as number;
    const end = field.ends[row] as number;
    this.putNumber(end === -1 ? 0xffffffff : end - start);
    if (end !== -1) this.put(field.bytes, start, end);
  }

  private putNumber(value: number): void {
    this.reserve(4);
    const { bytes } = this.writer;
    bytes[this.at++] = value >>> 24;
    bytes[this.at++] = value >>> 16;
    bytes[this.at++] = value >>> 8;
    bytes[this.at++] = value;
  }

  private put(from: Uint8Array, start = 0, end = from.length): void {
    this.reserve(end - start);
    const { bytes } = this.writer;
    for (let i = start; i < end; i++) bytes[this.at++] = from[i] as number;
  }

  private reserve(count: number): void {
    this.writer.reserve(this.at - this.writer.length + count);
  }
}

function hasNull(column: Column): boolean {
  return column.ends.subarray(0, column.rows).includes(-1);
}

function toRowPrefix({ schema, table, column, path }: Identity): Uint8Array {
  const text = Buffer.from(`\0row\0${schema}\0${table}\0${column}\0${path}\0`);
  const prefix = new Uint8Array(Math.ceil(text.length / 16) * 16);
  prefix.set(text);
  return prefix;
}
