// What every report has on the command line: its period, which log it is made of, and where and in which form it goes.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Settings, parseSettings } from '../config/settings.js';
import { readInstant, readPeriod } from '../control/asked-period.js';
import { paperFormats, renderReport } from '../control/render-report.js';
import { InputError, toError } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import type { LogFiles, TrustPolicy } from '../pipeline/audit/audit.js';
import type { LogState, Period, ReportDocument } from '../pipeline/report/report.js';
import { openLogFiles, readTrustPolicy } from '../systems/files/files.js';
import { findLogKey } from './audit.js';
import type { GlobalOptions } from './context.js';
import { paint } from './print.js';
import { type Server, findServer } from './server.js';
import { readOwnVerifier, readVerifier } from './verifier-key.js';

export interface ReportOptions extends Omit<GlobalOptions, 'format'> {
  readonly format?: string;
  readonly from?: string;
  readonly to?: string;
  readonly zone?: string;
  readonly file?: string;
  readonly log?: string;
  readonly key?: string;
  readonly policy?: string;
  readonly out?: string;
  readonly model?: string;
  readonly rendered?: boolean;
  readonly commit?: string;
}

/** Consistent, but nobody knows who signed. */
const SIGNER_UNKNOWN = 5;
export const exitCodes: Readonly<Record<LogState, number>> = { whole: 0, broken: 1, 'signer-unknown': SIGNER_UNKNOWN };

export interface ReportLog {
  readonly files: LogFiles;
  /** Absent: nobody gave the key, and who signed is not checked. */
  readonly verifier: Verifier | undefined;
  readonly policy: TrustPolicy | undefined;
  /** Whose log it is; absent: a home's, or one that was exported. */
  readonly server: Server | undefined;
}

export async function openReportLog(options: ReportOptions): Promise<ReportLog> {
  const settings = parseSettings(process.env);
  const home = options.home ?? settings.BAUTA_HOME;
  const given = options.key === undefined ? await readHomeVerifier(options, settings, home) : await readVerifier(options.key);
  const server = options.log === undefined ? await findServer(options) : undefined;
  const files = server?.own.log() ?? openLogFiles(options.log ?? join(home, 'log'));
  // A folder that is not there, or not a log, is not a period without entries.
  if (options.log !== undefined && (await files.list('')).length === 0) throw toError('LOG_EMPTY');
  const policy = options.policy === undefined ? undefined : await readTrustPolicy(options.policy);
  return { files, verifier: given ?? (policy && (await findLogKey(files, policy))), policy, server };
}

/** To stdout or a file; the exit code says what the log is. */
export async function tellDocument(document: ReportDocument, state: LogState, options: ReportOptions): Promise<number> {
  const format = paperFormats.find((one) => one === options.format) ?? 'json';
  return tellBytes(await renderReport(document, format), state, options);
}

export async function tellBytes(bytes: Uint8Array, state: LogState, { out }: ReportOptions): Promise<number> {
  if (out === undefined) process.stdout.write(bytes);
  else await write(out, bytes);
  if (state === 'broken') process.stderr.write(`${paint('error:', 31)} REPORT_LOG_BROKEN: ${toError('REPORT_LOG_BROKEN').message}\n`);
  return exitCodes[state];
}

/** Of a report that is no assessment and no package. Throws OPTION_INVALID. */
export function requirePaper({ format, model, rendered }: ReportOptions, name: string): void {
  if (model !== undefined || format === 'zip' || format === 'oscal')
    throw new InputError('OPTION_INVALID', { name: `--format of ${name}`, expected: paperFormats.join(', ') });
  if (rendered === true) throw new InputError('OPTION_INVALID', { name: `--rendered of ${name}`, expected: 'none: it is computed here' });
}

async function readHomeVerifier(options: ReportOptions, settings: Settings, home: string): Promise<Verifier | undefined> {
  return isOwn(options, settings) ? readOwnVerifier(join(home, 'log.pub')) : undefined;
}

/** Its key is known; that of a log from elsewhere has to be given. */
const isOwn = ({ log, server }: ReportOptions, { BAUTA_SERVER }: Settings): boolean =>
  log === undefined && server === undefined && BAUTA_SERVER === '';

export async function write(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(path, bytes, { mode: 0o600 }).catch(() => {
    throw toError('OUTPUT_UNWRITABLE', { file: path });
  });
}

/** Throws OPTION_MISSING and OPTION_INVALID. */
export function toPeriod({ from, to, zone }: ReportOptions): Period {
  if (from === undefined || to === undefined)
    throw new InputError('OPTION_MISSING', { name: from === undefined ? '--from' : '--to', expected: 'bauta report --help' });
  const period = readPeriod({ from, to, ...(zone === undefined ? {} : { zone }) });
  if ('expected' in period) throw new InputError('OPTION_INVALID', { name: `--${period.name}`, expected: period.expected });
  return period;
}

/** One instant of the command line. Throws OPTION_MISSING and OPTION_INVALID. */
export function toInstant(name: string, given: string | undefined): string {
  if (given === undefined) throw new InputError('OPTION_MISSING', { name, expected: 'bauta report --help' });
  const instant = readInstant(given);
  if (instant === undefined) throw new InputError('OPTION_INVALID', { name, expected: 'a day such as 2026-10-01, or RFC 3339' });
  return instant;
}
