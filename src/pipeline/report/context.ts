// What a report says beside what it counts: who made it, of which log, and what documents declare.
import type { Checkpoint } from '../event.js';

export interface ReportContext {
  readonly workspace: string;
  readonly product: { readonly version: string; readonly commit: string | null };
  readonly log: CheckedLog;
  readonly declared: Declared;
}

/** `signer-unknown`: consistent in itself, and nobody gave the key. */
export type LogState = 'whole' | 'broken' | 'signer-unknown';

export interface CheckedLog {
  readonly state: LogState;
  /** Of the state that was read, which is not the newest where the period ended before. */
  readonly checkpoint: Checkpoint;
  /** What is wrong with it, in our words. */
  readonly findings: readonly string[];
  /** Witnesses of the policy that was given who have cosigned it, or a later one that goes on from it, and when. */
  readonly cosigned: readonly { readonly name: string; readonly at: string }[];
  /** Where checkpoints that cover it were put, as the log says itself. */
  readonly anchored: readonly { readonly place: string; readonly at: string; readonly lockedUntil: string | null }[];
}

export interface DeclaredPipeline {
  readonly purpose: string;
  readonly legalBasis: string;
  readonly subjectCategories: readonly string[];
  readonly retentionDays: number;
  readonly owner: string | null;
  /** Of a transfer to a third country, where the pipeline itself says what its target is. */
  readonly safeguard?: string | null;
}

export interface DeclaredOrganisation {
  readonly legalName: string;
  readonly acts: 'controller' | 'processor';
  readonly contact: string;
  readonly representative: string | null;
  readonly dataProtectionOfficer: string | null;
  readonly jointControllers?: readonly { readonly name: string; readonly contact: string }[];
  readonly customers: readonly { readonly name: string; readonly contact: string }[];
}

/** A value and when it was in force: from an instant on, up to and without another. Null: since before the period, or beyond its end. */
export interface InForce<Value> {
  readonly from: string | null;
  readonly to: string | null;
  readonly value: Value;
}

/** What documents said during the period, oldest first; what is not here is unknown. A file that somebody gave says it of the whole period. */
export interface Declared {
  readonly organisation: readonly InForce<DeclaredOrganisation>[];
  readonly pipelines: Readonly<Record<string, readonly InForce<DeclaredPipeline>[]>>;
  /** By name: those that have a document of their own. */
  readonly environments?: Readonly<Record<string, readonly InForce<{ readonly safeguard: string | null }>[]>>;
}
