// What a process that makes reports is told, and what it answers.
import type { Settings } from '../config/settings.js';
import type { Where } from '../kernel/errors.js';
import type { ErrorCode } from '../kernel/messages.js';
import type { LogState, Period, ReportName } from '../pipeline/report/report.js';
import type { StoredPaper } from '../systems/metadata/metadata.js';
import { readTrustPolicyText } from '../systems/files/files.js';
import { type PaperFormat, paperFormats } from './render-report.js';

export type ReportFormat = PaperFormat | 'zip';
export const reportFormats = [...paperFormats, 'zip'] as const;

export interface ReportOrder {
  /** Of the metadata database, as the service role. */
  readonly metadata: string;
  readonly workspaceId: string;
  readonly workspace: string;
  /** Who asked, by id; null: nobody did, it was due. */
  readonly actor: string | null;
  readonly period: Period;
  readonly papers: readonly { readonly report: ReportName; readonly format: ReportFormat }[];
  /** Text of a trust policy, whose witnesses page 1 counts; null: it counts nobody. */
  readonly policy: string | null;
  /** Where to; the process writes nowhere else. */
  readonly folder: string;
  /** Absent: it is kept nowhere else. */
  readonly store?: {
    readonly settings: Settings;
    /** Its name there begins so. */
    readonly below: string;
  };
}

/** Of a stored report: a line for each file, as `sha256sum -c` reads it. */
export const CHECKSUMS = 'SHA256SUMS';

export interface StoredReport {
  readonly folder: string;
  readonly files: readonly StoredPaper[];
}

export interface MadePaper {
  readonly report: ReportName;
  readonly format: ReportFormat;
  /** In the folder. */
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Of the log that it was made of. */
  readonly state: LogState;
}

export type ReportAnswer =
  | { readonly papers: readonly MadePaper[]; readonly stored?: StoredReport }
  | { readonly error: { readonly code: ErrorCode; readonly where: Where } };

/** Of BAUTA_LOG_WITNESSES; null: there is none. Throws TRUST_POLICY_UNREADABLE and TRUST_POLICY_INVALID. */
export const readPolicyText = (file: string): Promise<string | null> => (file === '' ? Promise.resolve(null) : readTrustPolicyText(file));
