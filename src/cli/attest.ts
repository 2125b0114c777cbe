// `bauta attest`: is the database behind this connection the masked copy that was published? For test jobs: one read-only session, one public key.
import { readFile } from 'node:fs/promises';

import { parseSettings } from '../config/settings.js';
import { type Json, toCanonicalJson } from '../kernel/canonical-json.js';
import { systemClock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import { lookAtRows } from '../pipeline/look-at-rows.js';
import { type Marker, openMarker } from '../pipeline/marker.js';
import { type AttestState, type Statement, attest as judge } from '../pipeline/verify/verify.js';
import { DatasetReader, resolveConnection } from '../systems/postgres/postgres.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, stripControls, toCount, toFindingText } from './print.js';
import { readVerifier } from './verifier-key.js';

export interface AttestCommandOptions extends GlobalOptions {
  /** `env:NAME` or `file:PATH`. */
  readonly reference: string;
  /** Path of log.pub. */
  readonly key?: string | undefined;
  readonly nonce?: string;
  readonly counts?: boolean;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const exitCodes: Readonly<Record<AttestState, number>> = { valid: 0, broken: 1, unknown: 1, unchecked: 5 };

export async function attest(options: AttestCommandOptions): Promise<number> {
  const { statement, marker } = await toStatement(options);
  if (wantsJson(options)) process.stdout.write(`${toCanonicalJson(statement as unknown as Json)}\n`);
  else for (const line of toStatementLines(statement, marker)) process.stdout.write(`${line}\n`);
  return exitCodes[statement.state];
}

/** The statement, and the marker that it speaks of where there is a valid one. */
export async function toStatement({
  reference,
  key,
  nonce,
  counts = false,
  environment = process.env,
}: AttestCommandOptions): Promise<{ readonly statement: Statement; readonly marker: Marker | undefined }> {
  if (nonce !== undefined && !/^([0-9a-f]{2}){8,64}$/i.test(nonce))
    throw toError('OPTION_INVALID', { name: '--nonce', expected: '8 to 64 bytes in hexadecimal' });
  const verifier = key === undefined ? undefined : await readVerifier(key);
  const { BAUTA_CONNECT_TIMEOUT_MS } = parseSettings(environment);
  const resolved = await resolveConnection(reference, environment, (path) => readFile(path, 'utf8'));
  const reader = await DatasetReader.open({ ...resolved, connectTimeoutMs: BAUTA_CONNECT_TIMEOUT_MS });
  try {
    return await stateOf(reader, { verifier, nonce, counts });
  } finally {
    await reader.close();
  }
}

/** The same of a database that is being looked at already. */
export async function stateOf(
  reader: DatasetReader,
  { verifier, nonce, counts }: { readonly verifier: Verifier | undefined; readonly nonce?: string | undefined; readonly counts: boolean },
): Promise<{ readonly statement: Statement; readonly marker: Marker | undefined }> {
  const marker = await reader.marker();
  const opened = openMarker(marker, verifier ? [verifier] : []);
  const seen = { marker, ...(await reader.place()), tables: opened.state === 'whole' ? await lookAtRows(reader, opened, counts) : [] };
  const statement = judge(seen, { verifier, nonce, counts, clock: systemClock });
  return { statement, marker: opened.state === 'whole' ? opened.marker : undefined };
}

/** What a person sees: the marker, what does not fit, the answer. */
export function toStatementLines({ state, findings, tables, database, compared }: Statement, marker: Marker | undefined): string[] {
  const rows = tables.reduce((sum, table) => sum + (table.rows ?? 0), 0);
  const seen = `${toCount(tables.length, 'table')}, ${rows.toLocaleString('en')} rows, ${compared === 'rows' ? 'every row compared' : 'rows counted only'}`;
  const name = stripControls(database ?? '');
  const answers: Readonly<Record<AttestState, string>> = {
    valid: `${paint('valid', 32, process.stdout)}: ${name} is the masked copy that was published (${seen})`,
    unchecked: `${paint('signer not checked', 33, process.stdout)}: ${name} is what its marker says (${seen}); --key log.pub tells who says so`,
    broken: `${paint('broken', 31, process.stdout)}: ${name} is not the masked copy that was published (${seen})`,
    unknown: `${paint('unknown data', 31, process.stdout)}: ${name} has no valid marker`,
  };
  return [...(marker ? toMarkerLines(marker) : []), ...findings.map(toFindingText), answers[state]];
}

function toMarkerLines({ claim, target, version, environment, madeAt, expiresAt, log, planDigest }: Marker): string[] {
  return [
    `${claim}: ${target}, version ${version}, for ${environment}`,
    `made ${madeAt}, expires ${expiresAt}`,
    `log ${log.origin}, entry ${log.index}; plan ${planDigest}`,
  ].map((line) => stripControls(line));
}
