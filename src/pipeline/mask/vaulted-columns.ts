// Columns whose tokens are kept outside of the run: their values are taken out of a batch, exchanged all at once, and go with it to where it is masked.
// The texts live as long as the question; a thread gets tokens, and no way to ask.
import { toError } from '../../kernel/errors.js';
import type { Json } from '../../kernel/canonical-json.js';
import type { Batch, Column, Masked, VaultedColumn } from '../batch.js';
import { type ColumnPlan, type Plan, type TablePlan, isVaultedColumn, toVaultedDomains } from '../plan.js';
import type { MaskExecutor } from '../ports.js';
import { Canonicalizer, toCanonicalForm } from './canonical.js';
import { withDefaults } from './column-runner.js';
import { NotOfForm } from './exchange.js';
import { Lines } from './split.js';
import { token } from './transforms/token.js';

export interface VaultedValues {
  readonly domain: string;
  /** Of the form, the defaults written out. */
  readonly params: Readonly<Record<string, Json>>;
  readonly values: readonly string[];
  /** Whom each is about, as `schema.table/key`; null: the plan does not know. */
  readonly subjects: readonly (string | null)[];
}

/** What a run asks for tokens that are kept. */
export interface VaultedExchange {
  /**
   * In the order of the values. MUST give a value of the domain the token that it has, whoever asks at the same time, and keep what it makes before it
   * resolves. Throws NotOfForm.
   */
  toTokens(wanted: VaultedValues): Promise<readonly string[]>;
  /** Says what was exchanged and not yet said. MAY be called twice. */
  close(): Promise<void>;
}

/** The same plan where nothing is kept: for who shows no token. */
export function withoutVault(plan: Plan): Plan {
  const { target } = plan.facts;
  const tokens = Object.entries(target.tokens ?? {}).map(([domain, named]) => [domain, { ...named, vaulted: false }] as const);
  return { ...plan, facts: { ...plan.facts, target: { ...target, tokens: Object.fromEntries(tokens) } } };
}

/** The executor, and before it the exchange, where the plan has columns that need one. Closes both. */
export function withVaultedTokens(executor: MaskExecutor, plan: Plan, exchange: VaultedExchange): MaskExecutor {
  return new VaultedExecutor(executor, plan, exchange);
}

class VaultedExecutor implements MaskExecutor {
  private readonly tables: readonly VaultedTable[];

  constructor(
    private readonly executor: MaskExecutor,
    plan: Plan,
    private readonly exchange: VaultedExchange,
  ) {
    const vaulted = toVaultedDomains(plan.facts.target);
    this.tables = plan.tables.map((table) => new VaultedTable(table, vaulted));
  }

  get width(): number {
    return this.executor.width;
  }

  async mask(batch: Batch): Promise<Masked> {
    const table = this.tables[batch.table];
    const asked = table?.read(batch) ?? [];
    if (!table || asked.length === 0) return this.executor.mask(batch);
    const vaulted: VaultedColumn[] = [];
    for (const { field, rows, wanted } of asked) {
      const tokens = await this.exchange.toTokens(wanted).catch((error: unknown) => {
        throw error instanceof NotOfForm ? table.toRefusal(batch, field, rows[error.index] as number) : error;
      });
      vaulted.push({ field, ...toColumn(tokens, rows, table.rows(batch)) });
    }
    return this.executor.mask({ ...batch, vaulted });
  }

  async close(): Promise<void> {
    await this.executor.close();
    await this.exchange.close();
  }
}

interface Asked {
  readonly field: number;
  /** Of the batch, by value. */
  readonly rows: readonly number[];
  readonly wanted: VaultedValues;
}

class VaultedTable {
  private readonly lines = new Lines();
  private readonly fields: readonly { readonly field: number; readonly column: ColumnPlan; readonly canonical: Canonicalizer }[];
  private readonly subjects: readonly { readonly field: number; readonly canonical: Canonicalizer }[];
  private readonly person: string;
  private readonly counts = new WeakMap<Batch, number>();

  constructor(
    private readonly table: TablePlan,
    vaulted: ReadonlySet<string>,
  ) {
    const { columns, hidden } = table;
    this.fields = columns.flatMap((column, field) =>
      isVaultedColumn(column, vaulted)
        ? [
            {
              field,
              column,
              canonical: new Canonicalizer(column.rule.canonical === 'text' ? toCanonicalForm(column.type) : column.rule.canonical),
            },
          ]
        : [],
    );
    this.subjects = hidden.flatMap(({ purpose, type }, i) =>
      purpose === 'subject' ? [{ field: columns.length + i, canonical: new Canonicalizer(toCanonicalForm(type)) }] : [],
    );
    this.person = hidden.find(({ person }) => person !== undefined)?.person ?? '';
  }

  rows(batch: Batch): number {
    return this.counts.get(batch) ?? 0;
  }

  /** Before anything is waited for: the memory that lines stand in is the thread's. Empty where the lines are not the plan's, which masking then says. */
  read(batch: Batch): readonly Asked[] {
    const { lines, table, fields } = this;
    if (fields.length === 0 || lines.scan(batch.bytes, table.columns.length + table.hidden.length) !== -1) return [];
    this.counts.set(batch, lines.rows);
    const keys = this.subjects.map(({ field, canonical }) => toTexts(canonical.apply(lines.column(field))));
    return fields.map(({ field, column, canonical }) => {
      const texts = toTexts(canonical.apply(lines.column(field)));
      const rows = texts.flatMap((text, row) => (text === null ? [] : [row]));
      const { domain, params } = column.rule;
      const values = rows.map((row) => texts[row] as string);
      return {
        field,
        rows,
        wanted: { domain, params: withDefaults(token, params), values, subjects: rows.map((row) => this.toSubject(keys, row)) },
      };
    });
  }

  toRefusal({ range, sequence }: Batch, field: number, row: number): Error {
    const { schema, name: table, columns } = this.table;
    const where = { stage: 'mask', schema, table, column: columns[field]?.name };
    return toError('MASK_VALUE_REFUSED', { ...where, range: range + 1, batch: sequence + 1, row: row + 1 });
  }

  private toSubject(keys: readonly (readonly (string | null)[])[], row: number): string | null {
    const parts = keys.map((key) => key[row] ?? null);
    return parts.length === 0 || parts.includes(null) ? null : `${this.person}/${parts.join('/')}`;
  }
}

function toTexts({ rows, bytes, starts, ends }: Column): readonly (string | null)[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: rows }, (_, row) => (ends[row] === -1 ? null : text.toString('utf8', starts[row], ends[row])));
}

/** `rows`: where the tokens belong among so many. */
function toColumn(tokens: readonly string[], rows: readonly number[], count: number): Column {
  const bytes = Buffer.from(tokens.join(''), 'utf8');
  const [starts, ends] = [new Int32Array(count), new Int32Array(count).fill(-1)];
  let at = 0;
  tokens.forEach((text, i) => {
    starts[rows[i] as number] = at;
    ends[rows[i] as number] = at += Buffer.byteLength(text);
  });
  return { rows: count, bytes: new Uint8Array(bytes), starts, ends };
}
