// Rows that break a check, shown as they stand in a masked copy: only where a signed marker says that it is one, and never from a source.
import { toError } from '../kernel/errors.js';
import type { Table } from '../pipeline/catalogue.js';
import type { CheckPlan, CheckResult } from '../pipeline/check.js';
import type { KnownSource } from '../pipeline/gate/gate.js';
import { type CheckCounter, toRowsStatement } from '../systems/postgres/postgres.js';
import type { CheckedVersion } from './check-version.js';
import { stripControls, toTable } from './print.js';

export interface FailingRows {
  readonly check: string;
  readonly columns: readonly string[];
  /** As text, the first 200 characters of each; null for NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Throws CHECK_ROWS_REFUSED unless the database says that it is a masked copy, by a signature that is known here. */
export function requireMaskedCopy(
  { marker, database, systemIdentifier }: Pick<CheckedVersion, 'marker' | 'database' | 'systemIdentifier'>,
  sources: readonly KnownSource[],
): void {
  const refuse = (expected: string): never => {
    throw toError('CHECK_ROWS_REFUSED', { object: `database ${database}`, expected });
  };
  if (marker.state === 'missing') refuse('it has no marker');
  if (marker.state === 'broken') refuse(`its marker is broken (${marker.part})`);
  if (marker.state === 'whole' && marker.signer !== 'checked') refuse('nobody here knows who signed its marker');
  const isSource = sources.some(
    (source) => source.database === database && (systemIdentifier === null || source.systemIdentifier === systemIdentifier),
  );
  if (isSource) refuse('a run has read it as a source');
}

export interface Failing {
  readonly counter: CheckCounter;
  readonly checks: readonly CheckPlan[];
  readonly results: readonly CheckResult[];
  readonly tables: readonly Table[];
  readonly most: number;
  readonly asOfMs: number;
}

/** Of each check that failed, as far as rows break it by themselves. */
export async function readFailingRows({ counter, checks, results, tables, most, asOfMs }: Failing): Promise<readonly FailingRows[]> {
  const found: FailingRows[] = [];
  for (const [i, check] of checks.entries()) {
    if (results[i]?.outcome !== 'fail' || check.kind === 'sql') continue;
    const table = tables.find(({ schema, name }) => schema === check.table.schema && name === check.table.name);
    const key = table?.constraints.find(({ kind }) => kind === 'p')?.columns ?? [];
    const statement = toRowsStatement(check, key, most, { asOfMs });
    const answer = statement && (await counter.rows(statement.text));
    if (statement && answer && 'rows' in answer) found.push({ check: check.name, columns: statement.columns, rows: answer.rows });
  }
  return found;
}

/** A table for each check. What stands in rows is somebody's: no control character of it reaches a terminal. */
export function toRowsText(found: readonly FailingRows[]): string {
  return found
    .map(({ check, columns, rows }) => {
      const lines = [columns, ...rows].map((row) => row.map((value) => (value === null ? 'NULL' : stripControls(value))));
      return `\n${stripControls(check)}\n${toTable(lines)}\n`;
    })
    .join('');
}
