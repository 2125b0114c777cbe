// `bauta load`: an archive into a database that is there and empty. All of it is checked first, then it is loaded in one transaction, and what was
// loaded is attested before that is committed.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Settings, parseSettings } from '../config/settings.js';
import { findArchiveIdentities } from '../control/archive-keys.js';
import { openKeys } from '../control/open-keys.js';
import { systemClock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { type Verifier, parseVerifierKey } from '../kernel/signed-note.js';
import type { Marker } from '../pipeline/marker.js';
import type { KeyHierarchy } from '../pipeline/ports.js';
import { ArchiveFile, copyArchive } from '../systems/archive/archive.js';
import { type ConnectionTarget, resolveConnection } from '../systems/postgres/postgres.js';
import { type CheckedArchive, checkArchive } from './check-archive.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { loadArchive } from './load-archive.js';
import { stripControls, toCount, writeJson } from './print.js';
import { readVerifier } from './verifier-key.js';

export interface LoadOptions extends GlobalOptions {
  readonly archive: string;
  /** `env:NAME` or `file:PATH` of a connection. Absent: it is only checked. */
  readonly into?: string;
  /** Path of log.pub. */
  readonly key?: string;
  /** `env:NAME` or `file:PATH` of an age identity. */
  readonly identity?: string;
  /** The environment with whose keys, of this home, it is opened. */
  readonly of?: string;
  readonly confirm?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export async function load(options: LoadOptions): Promise<number> {
  const environment = options.environment ?? process.env;
  const settings = parseSettings(environment);
  const home = options.home ?? settings.BAUTA_HOME;
  const verifier = await findVerifier(options.key, home);
  const into = options.into === undefined ? undefined : await resolve(options.into, environment, settings);
  const file = await ArchiveFile.open(options.archive, await findIdentities(options, environment, home, settings));
  try {
    return await loadOpened(file, { verifier, into, confirm: options.confirm, json: wantsJson(options) });
  } finally {
    await file.close();
  }
}

export interface LoadFrom {
  /** Of the log that signed it; absent: nobody checks who did, and nothing is loaded. */
  readonly verifier: Verifier | undefined;
  readonly into?: ConnectionTarget | undefined;
  readonly confirm?: string | undefined;
  readonly keep?: Keep | undefined;
  readonly json: boolean;
}

/** Where the archive stays, instead of being loaded. */
export interface Keep {
  readonly file: string;
  /** Sealed to these; to nobody: the tar inside. */
  readonly recipients: readonly string[];
}

/** Checks, loads where that is asked for, says what it did, and gives the exit code. */
export async function loadOpened(file: ArchiveFile, { verifier, into, confirm, keep, json }: LoadFrom): Promise<number> {
  const checked = await checkArchive(file, verifier ? [verifier] : [], systemClock);
  if (verifier && checked.signer !== 'checked')
    throw toError('ARCHIVE_SIGNER_UNKNOWN', { file: file.file, expected: checked.marker.log.origin });
  // Whoever signed it, its SQL would be run: without a key that says who, it is not.
  const database = into && verifier ? await loadArchive(file, checked, { into, verifier, confirm }) : null;
  if (keep && verifier) await copyArchive(file, keep.file, keep.recipients);
  const kept = verifier ? (keep?.file ?? null) : null;
  const state = database !== null ? 'loaded' : kept !== null ? 'kept' : verifier ? 'checked' : 'unchecked';
  if (json) writeJson({ state, ...toFacts(checked), database, file: kept, findings: [] });
  else for (const line of toLines(state, checked, database ?? kept)) process.stdout.write(`${stripControls(line)}\n`);
  return state === 'unchecked' ? 5 : 0;
}

function toFacts({ marker, manifest }: CheckedArchive): Readonly<Record<string, unknown>> {
  const { target, version, environment, madeAt, expiresAt } = marker;
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
  return { target, version, environment, madeAt, expiresAt, tables: manifest.tables.length, rows };
}

function toLines(state: 'loaded' | 'kept' | 'checked' | 'unchecked', { marker, manifest }: CheckedArchive, place: string | null): string[] {
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
  const what = `${marker.target}, version ${marker.version}, for ${marker.environment} (${toCount(manifest.tables.length, 'table')}, ${rows.toLocaleString('en')} rows)`;
  const answers = {
    loaded: `loaded into ${place ?? ''} and attested: ${what}`,
    kept: `whole, signed by the log and kept as ${place ?? ''}: ${what}`,
    checked: `whole and signed by the log: ${what}`,
    unchecked: `whole, signer not checked: ${what}; --key log.pub tells who signed it, and without it nothing is loaded`,
  };
  return [toMarkerLine(marker), answers[state]];
}

function toMarkerLine({ claim, madeAt, expiresAt, log }: Marker): string {
  return `${claim}: made ${madeAt}, expires ${expiresAt}; log ${log.origin}, entry ${log.index}`;
}

/** The key that was given, or that of the home's own log. */
export async function findVerifier(key: string | undefined, home: string): Promise<Verifier | undefined> {
  if (key !== undefined) return readVerifier(key);
  return parseVerifierKey(await readFile(join(home, 'log.pub'), 'utf8').catch(() => ''));
}

export async function resolve(
  reference: string,
  environment: Readonly<Record<string, string | undefined>>,
  settings: Settings,
): Promise<ConnectionTarget> {
  const resolved = await resolveConnection(reference, environment, (path) => readFile(path, 'utf8'));
  return { ...resolved, connectTimeoutMs: settings.BAUTA_CONNECT_TIMEOUT_MS };
}

/** Of whoever opens it: an identity of his own, or the keys that this home has of one environment, or of all. */
async function findIdentities(
  { identity, of }: Pick<LoadOptions, 'identity' | 'of'>,
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
  settings: Settings,
): Promise<readonly string[]> {
  if (identity !== undefined) return [await readIdentity(identity, environment)];
  const keys = await openKeys(home, settings);
  const named: KeyHierarchy[] = of === undefined ? [] : [{ purpose: 'transport', workspace: 'default', environment: of }];
  try {
    const known = of === undefined ? ((await keys.list?.()) ?? []).filter(({ purpose }) => purpose === 'transport') : named;
    return (await Promise.all(known.map((one) => findArchiveIdentities(keys.open(one))))).flat();
  } finally {
    await keys.close();
  }
}

async function readIdentity(reference: string, environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  const [, kind, rest = ''] = /^(env|file):(.+)$/s.exec(reference) ?? [];
  const text = kind === 'env' ? environment[rest] : kind === 'file' ? await readFile(rest, 'utf8').catch(() => undefined) : undefined;
  // age-keygen writes comments above the key.
  const found = text?.split('\n').find((line) => line.startsWith('AGE-SECRET-KEY-'));
  if (found === undefined) throw toError('ARCHIVE_IDENTITY_INVALID');
  return found.trim();
}
