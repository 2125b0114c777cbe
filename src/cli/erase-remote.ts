// `bauta erase --server`: a worker looks for the person and drops what may hold them. Who it is comes from a file or stdin, never as a word of the command
// line, which others on the machine can read; it goes to the service and is kept nowhere.
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

import { toError } from '../kernel/errors.js';
import type { ErasureState } from '../pipeline/erasure.js';
import { type Identifier, type TracedColumn, type TracedVersion, isFound } from '../pipeline/trace-person.js';
import { askErrand } from './await-errand.js';
import { stripControls } from './print.js';
import type { Server } from './server.js';

/** As the service answers it. */
export interface RemoteErasure extends ErasureState {
  readonly erasure: string;
  readonly traced: readonly TracedVersion[] | null;
  readonly why: string | null;
  readonly shredded: number | null;
  readonly run: string | null;
  readonly others: readonly string[];
}

export interface WantedErasure {
  readonly pipeline: string;
  readonly reason: string;
  readonly how: string;
  /** A path, or `-` for stdin. */
  readonly subject?: string | undefined;
}

export async function eraseThere(server: Server, { subject, ...wanted }: WantedErasure): Promise<RemoteErasure> {
  const body = { ...wanted, ...(subject === undefined ? {} : { subject: await readSubject(subject) }) };
  return (await askErrand<RemoteErasure>(server, '/v1/subjects/erase', body, { once: false })).result;
}

/** Throws OPTION_INVALID, and nothing of what stands there. */
export async function readSubject(path: string): Promise<readonly Identifier[]> {
  try {
    const read: unknown = JSON.parse(path === '-' ? await text(process.stdin) : await readFile(path, 'utf8'));
    if (Array.isArray(read)) return read as readonly Identifier[];
  } catch {
    // What stands there is about somebody: no word of it goes into an error.
  }
  throw toError('OPTION_INVALID', { name: '--subject', expected: 'a file (or - for stdin) of [{"table": …, "column": …, "value": …}]' });
}

/** For people, beside what `bauta erase` says here. */
export function toTraceTexts({ traced, why, shredded, run, others }: RemoteErasure): readonly string[] {
  const found = (traced ?? []).map(({ of, for: purpose, version, columns, why: unknown }) => {
    const name = purpose === null ? `${of} version ${version}` : `the clone for ${stripControls(purpose)}`;
    if (columns === null) return `  ${name}: whether the person was there is unknown (${unknown ?? ''})`;
    const rows = toRowTexts(columns.filter(isFound));
    const others = toRowTexts(columns.filter((one) => one.rows > 0 && !isFound(one)));
    const found = rows.length === 0 ? 'no row with a pseudonym of the person' : `rows with a pseudonym of the person: ${rows.join(', ')}`;
    return `  ${name}: ${found}${others.length === 0 ? '' : `; the same key, and no foreign key says whose: ${others.join(', ')}`}`;
  });
  return [
    ...(traced ? ['looked for before anything was dropped:', ...found] : why === null ? [] : [`nobody could look: ${why}`]),
    ...(shredded === null ? [] : [`${shredded} kept tokens of the person stand for nothing any more`]),
    ...(run === null ? [] : [`run ${run} makes the version that replaces the current one, and drops it`]),
    ...others.map((name) => `${stripControls(name)} reads the same source: its copies are asked for by themselves`),
  ];
}

const toRowTexts = (columns: readonly TracedColumn[]): readonly string[] =>
  columns.map(({ table, column, rows }) => `${rows} of ${stripControls(`${table}.${column}`)}`);
