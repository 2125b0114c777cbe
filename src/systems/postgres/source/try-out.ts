// Made-up rows against a condition of the schema: the server evaluates it over values that it is given, in a read-only transaction with a short
// time-out. No table is read; a value that is not of its type does not meet the condition.
import type pg from 'pg';

import type { Trial, Trialled } from '../../../pipeline/ports.js';
import { quoteName } from '../quote.js';
import { toServerError } from '../server-error.js';

const statementMs = 2_000;
/** Where one row stops the statement, so many are asked one by one. */
const singly = 40;

/** MUST be given a session inside a read-only transaction. */
export async function tryOut(client: pg.Client, trial: Trial, connection: string): Promise<Trialled> {
  await client.query(`SET LOCAL statement_timeout = ${statementMs}`);
  const together = await ask(client, trial, trial.rows, connection);
  if (typeof together !== 'string') return { holds: together };
  if (!isOfTheValue(together)) return { sqlState: together };
  const holds: boolean[] = [];
  for (const row of trial.rows.slice(0, singly)) {
    const one = await ask(client, trial, [row], connection);
    if (typeof one === 'string' && !isOfTheValue(one)) return { sqlState: one };
    holds.push(typeof one !== 'string' && one[0] === true);
  }
  return { holds };
}

/** Data exceptions, and what a domain refuses. */
function isOfTheValue(sqlState: string): boolean {
  return sqlState.startsWith('22') || sqlState.startsWith('23');
}

/** Per row whether it meets the condition, or the SQLSTATE of what the server said instead. */
async function ask(
  client: pg.Client,
  { columns, sql, alias }: Trial,
  rows: Trial['rows'],
  connection: string,
): Promise<boolean[] | string> {
  // The types are the server's own words for them. The alias of the place cannot be a column of the condition: no name of Postgres is that long.
  const place = quoteName('n'.repeat(63));
  const values = columns.map(({ name, type }, i) => `CAST(u.c${i} AS ${type}) AS ${quoteName(name)}`);
  const lists = columns.map((_, i) => `pg_catalog.unnest($${i + 1}::pg_catalog.text[])`);
  const names = columns.map((_, i) => `c${i}`);
  const given = `ROWS FROM (${lists.join(', ')}) WITH ORDINALITY AS u(${[...names, 'n'].join(', ')})`;
  // The server leaves out what nobody looks at, a cast too.
  const asked = sql ?? `pg_catalog.num_nulls(${columns.map(({ name }) => quoteName(name)).join(', ')}) >= 0`;
  const rowsOf = `SELECT ${[...values, `u.n AS ${place}`].join(', ')} FROM ${given} OFFSET 0`;
  const text = `SELECT coalesce((${asked}), true) AS holds FROM (${rowsOf}) AS ${quoteName(alias)} ORDER BY ${place}`;
  await client.query('SAVEPOINT bauta_trial');
  try {
    const found = await client.query<{ holds: boolean }>(
      text,
      columns.map((_, i) => rows.map((row) => row[i] ?? null)),
    );
    await client.query('RELEASE SAVEPOINT bauta_trial');
    return found.rows.map(({ holds }) => holds);
  } catch (cause) {
    const error = toServerError(cause, { connection, stage: 'classify' });
    if (error.where.sqlState === undefined || error.code === 'CONNECTION_LOST') throw error;
    await client.query('ROLLBACK TO SAVEPOINT bauta_trial');
    return error.where.sqlState;
  }
}
