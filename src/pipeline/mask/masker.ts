// One table's way through the stage: split, a transform per column, join. Lives in one thread and keeps its buffers from batch to batch.
import { BautaError, toError, type Where } from '../../kernel/errors.js';
import type { Batch, Column, Masked } from '../batch.js';
import { type ColumnPlan, type Plan, type TablePlan, isVaultedColumn } from '../plan.js';
import { Canonicalizer, toCanonicalForm } from './canonical.js';
import type { ColumnRunner } from './column-runner.js';
import { ColumnWriter } from './column-writer.js';
import { Joiner, type Piece, Unwritten } from './join.js';
import type { Place } from './place.js';
import { isMemoryFull } from './kernel/kernel.js';
import { toPrinter } from './print.js';
import { createRunner, type RunnerOptions } from './runner.js';
import { Lines } from './split.js';
import type { Companion } from './transform.js';

/** A column that is not copied as it is. */
interface Task {
  readonly field: number;
  readonly column: ColumnPlan;
  readonly runner: Pick<ColumnRunner, 'plain' | 'run'>;
  /** Its tokens come with the batch. */
  readonly isVaulted: boolean;
  readonly piece: Extract<Piece, { kind: 'masked' }>;
  /** Whether the transform looks at the other columns; then it comes last. */
  readonly curious: boolean;
}

interface HiddenField {
  readonly field: number;
  readonly purpose: 'subject' | 'row';
  readonly canonical: Canonicalizer;
}

export class Masker {
  private readonly lines = new Lines();
  private readonly fields: number;
  private readonly tasks: readonly Task[];
  private readonly hidden: readonly HiddenField[];
  private readonly joiner: Joiner;
  private readonly table: TablePlan;

  constructor(plan: Plan, index: number, options: RunnerOptions) {
    this.table = plan.tables[index] as TablePlan;
    const { columns, hidden } = this.table;
    this.fields = columns.length + hidden.length;
    const tasks = columns.flatMap((column, field) => (isKept(column) ? [] : [this.toTask(column, field, options)]));
    this.joiner = new Joiner(toPieces(columns.length, tasks));
    this.tasks = tasks.sort((a, b) => Number(a.curious) - Number(b.curious) || a.field - b.field);
    this.hidden = hidden.map(({ purpose, type }, i) => ({
      field: columns.length + i,
      purpose,
      canonical: new Canonicalizer(toCanonicalForm(type)),
    }));
  }

  /** Copies the batch's bytes and leaves them alone. The masked ones are in `into` where they fit, else in memory of their own. */
  mask(batch: Batch, into?: Uint8Array): Masked {
    try {
      return this.maskLines(batch, into);
    } catch (error) {
      if (error instanceof BautaError) throw error;
      if (isMemoryFull(error)) throw this.toFailure('MASK_BATCH_TOO_LARGE', batch, 0, { row: undefined });
      // A defect of ours. Its text may hold a value; where it happened cannot.
      const [, file, line] = /([\w-]+\.js):(\d+)/.exec(error instanceof Error ? (error.stack ?? '').replace(/^.*$/m, '') : '') ?? [];
      throw this.toFailure('MASK_DEFECT', batch, 0, { file, line: Number(line ?? 0), row: undefined });
    }
  }

  private maskLines(batch: Batch, into: Uint8Array | undefined): Masked {
    const { lines } = this;
    const malformed = lines.scan(batch.bytes, this.fields);
    if (malformed !== -1) throw this.toFailure('MASK_LINE_MALFORMED', batch, malformed, {});
    const subjects = this.toKeys('subject');
    const rowKeys = this.toKeys('row');
    const companions: Companion[] = [];
    for (const { field, column, runner, piece, curious, isVaulted } of this.tasks) {
      const place: Place = {
        subjects,
        rowKeys,
        companions: curious ? companions : [],
        fail: (code, row, path) => {
          throw this.toFailure(code, batch, row, { column: column.name, path });
        },
      };
      const original = lines.column(field);
      piece.column = isVaulted ? runner.run(takeVaulted(batch, field, original, place), place) : runner.run(original, place);
      if (!curious && column.tag !== 'none' && !column.rule.paths) companions.push({ tag: column.tag, original, masked: piece.column });
    }
    return this.join(batch, into);
  }

  private join(batch: Batch, into: Uint8Array | undefined): Masked {
    const { table, range, sequence } = batch;
    try {
      return { table, range, sequence, bytes: this.joiner.join(this.lines, into), rows: this.lines.rows } as Masked;
    } catch (error) {
      if (!(error instanceof Unwritten)) throw error;
      throw this.toFailure('MASK_OUTPUT_INCOMPLETE', batch, error.row, { column: this.table.columns[error.field]?.name });
    }
  }

  private toKeys(purpose: 'subject' | 'row'): Column[] {
    return this.hidden
      .filter((hidden) => hidden.purpose === purpose)
      .map(({ field, canonical }) => canonical.apply(this.lines.column(field)));
  }

  private toTask(column: ColumnPlan, field: number, options: RunnerOptions): Task {
    const { schema, name } = this.table;
    const isVaulted = isVaultedColumn(column, options.vaulted);
    const runner = isVaulted
      ? { plain: true, run: toPrinter(column.type) }
      : createRunner(column.type, column.rule, { schema, table: name, column: column.name, path: '' }, options);
    const rules = [column.rule, ...Object.values(column.rule.paths ?? {})];
    return {
      field,
      column,
      runner,
      isVaulted,
      piece: { kind: 'masked', field, column: nothing, plain: runner.plain },
      curious: rules.some((rule) => rule.transform === 'redact'),
    };
  }

  private toFailure(code: BautaError['code'], batch: Batch, row: number, where: Where): BautaError {
    const { schema, name } = this.table;
    return toError(code, {
      stage: 'mask',
      schema,
      table: name,
      range: batch.range + 1,
      batch: batch.sequence + 1,
      row: row + 1,
      ...where,
    });
  }
}

/** Stands in a piece until its first batch. */
const nothing: Column = new ColumnWriter();

/** What came with the batch, a token wherever there is a value: nothing else may stand in for one. */
function takeVaulted({ vaulted = [] }: Batch, field: number, original: Column, place: Place): Column {
  const brought = vaulted.find((column) => column.field === field);
  if (brought?.rows !== original.rows) return place.fail('MASK_OUTPUT_INCOMPLETE', 0);
  for (let row = 0; row < original.rows; row++)
    if ((brought.ends[row] === -1) !== (original.ends[row] === -1)) return place.fail('MASK_OUTPUT_INCOMPLETE', row);
  return brought;
}

function isKept({ rule }: ColumnPlan): boolean {
  return rule.transform === 'keep' && rule.paths === undefined;
}

/** Output columns in order, neighbouring kept ones as one piece. */
function toPieces(count: number, tasks: readonly Task[]): Piece[] {
  const masked = new Map(tasks.map(({ field, piece }) => [field, piece]));
  const pieces: Piece[] = [];
  for (let field = 0; field < count; field++) {
    const piece = masked.get(field);
    const before = pieces.at(-1);
    if (piece) pieces.push(piece);
    else if (before?.kind === 'raw') pieces.splice(-1, 1, { kind: 'raw', from: before.from, to: field });
    else pieces.push({ kind: 'raw', from: field, to: field });
  }
  return pieces;
}
