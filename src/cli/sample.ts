// Masked previews: the first rows of each table under a snapshot, masked in memory, shown, forgotten. Originals are never shown.
import { createMasker, prepareMask, withoutVault } from '../pipeline/mask/mask.js';
import type { ColumnPlan, Plan } from '../pipeline/plan.js';
import type { SourceScope } from '../pipeline/ports.js';
import type { Composed } from './compose.js';

export interface SampledTable {
  readonly table: string;
  readonly columns: string[];
  /** COPY text of each field, at most 40 characters. */
  readonly rows: string[][];
}

const WIDTH = 40;

export async function sampleMasked({ doors }: Composed, plan: Plan, scope: SourceScope, rows: number): Promise<SampledTable[]> {
  // No token is shown, so none is made and kept for this.
  const prepared = await prepareMask(withoutVault(plan), doors.keys, doors.tokenKeys);
  const snapshot = await doors.source.open(plan, scope);
  try {
    const sampled: SampledTable[] = [];
    for (const range of snapshot.ranges().filter(({ range: number }) => number === 0)) {
      const table = plan.tables[range.table];
      if (!table) continue;
      for await (const batch of snapshot.read(range)) {
        const masked = createMasker(prepared, range.table).mask({ ...batch, bytes: firstLines(batch.bytes, rows) });
        const lines = Buffer.from(masked.bytes).toString('utf8').split('\n').slice(0, -1);
        sampled.push({
          table: `${table.schema}.${table.name}`,
          columns: table.columns.map(({ name }) => name),
          rows: lines.map((line) => line.split('\t').map((field, i) => (isReversible(table.columns[i]) ? '[token]' : shorten(field)))),
        });
        break;
      }
    }
    return sampled.sort((a, b) => (a.table < b.table ? -1 : 1));
  } finally {
    await snapshot.close();
  }
}

/** Tokens of rows that somebody chose answer guesses; who may asks `POST /v1/tokens`, where that is counted and logged. */
function isReversible(column: ColumnPlan | undefined): boolean {
  return column !== undefined && [column.rule, ...Object.values(column.rule.paths ?? {})].some(({ reversible }) => reversible === true);
}

function firstLines(bytes: Uint8Array, rows: number): Uint8Array {
  let end = 0;
  for (let i = 0; i < rows && end < bytes.length; i++) end = bytes.indexOf(0x0a, end) + 1;
  return bytes.slice(0, end);
}

function shorten(field: string): string {
  const characters = [...field];
  return characters.length > WIDTH ? `${characters.slice(0, WIDTH - 1).join('')}…` : field;
}
