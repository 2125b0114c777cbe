// What a run is given: doors, an identity, and people or tests who want to be told.
import type { Verifier } from '../kernel/signed-note.js';
import type { CheckResult } from './check.js';
import type { MarkerRow } from './marker.js';
import type { Plan } from './plan.js';
import type { VaultedExchange } from './mask/mask.js';
import type { AuditSink, HeldSnapshot, KeyProvider, MaskExecutor, Reader, SourceScope, Staging } from './ports.js';
import type { PrivacyMeasures } from './privacy.js';
import type { PrepareDoors, Prepared } from './prepare.js';
import type { VerifyReport } from './verify/verify.js';

export interface Doors extends PrepareDoors {
  readonly sink: AuditSink;
  /** Threads or the calling one; closed by the run. */
  readonly executor: (plan: Plan) => Promise<MaskExecutor>;
  readonly reader: (snapshotId: string, staging: Pick<Staging, 'database' | 'schemas' | 'login'>) => Promise<Reader>;
  /** Ranges read at once. */
  readonly streams: number;
  /** Memory of the verifier: 2^n fingerprints of 4 bytes. */
  readonly slotsLog2: number;
  /** Rows of a table that its privacy is measured on, where it has more. */
  readonly privacyRows: number;
  readonly peakRssBytes: () => number;
  /** Writes staging, verified and marked, as a file beside the name that it gets with `publish`. Absent: the pipeline asks for none. */
  readonly archive?: (staging: Pick<Staging, 'database'>, of: ArchiveOf) => Promise<Archived>;
  /** Removes the archives of a run's version, whatever the pipeline asks for today; returns those that were there. MUST throw where one stays. */
  readonly dropArchives?: (runId: string) => Promise<readonly string[]>;
}

/** The exchange of tokens that are kept, for one run; `keys` of the hierarchy `token`. */
export type OpenVault = (keys: KeyProvider, plan: Plan) => VaultedExchange;

export interface ArchiveOf {
  readonly plan: Plan;
  readonly runId: string;
  readonly marker: MarkerRow;
  /** Tells the log of a manifest by its digest, and gives the note under which it is known. */
  readonly sign: (manifest: string) => Promise<string>;
}

export interface Archived {
  /** What the log says of it. */
  readonly facts: ArchiveFacts;
  /** It has its name from then on. */
  publish(): Promise<void>;
  /** Those go that are older than what the pipeline keeps, but of the runs that are held. Returns their names. */
  prune(held: ReadonlySet<string>): Promise<readonly string[]>;
  drop(): Promise<void>;
}

export interface ArchiveFacts {
  /** Its name below the folder of archives. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Of the environment's transport key: whoever destroys that version ends this archive. */
  readonly keyVersion: number;
  /** Who else can open it, by their public keys; there it ends when they say. */
  readonly recipients: readonly string[];
}

export interface Run {
  readonly id: string;
  /** 16 public random bytes: the key of the table digests. */
  readonly nonce: Uint8Array;
  readonly after: readonly { readonly path: string; readonly sql: string }[];
  /** The random id of who started it. */
  readonly actor?: () => Promise<string>;
  /** A version that is there and would come out the same is wanted instead of a run; the keys of the log that may have published it. */
  readonly reuse?: { readonly verifiers: readonly Verifier[] };
  /** Where others can go on with the run when this process is gone, and load some of it while it is here. */
  readonly succession?: Succession;
  /** Aborted by Ctrl-C or the caller's time-out; its reason is the error to show. */
  readonly signal?: AbortSignal;
}

/** How a run outlives who works on it. */
export interface Succession {
  /** Snapshots of the run that somebody may still hold. */
  readonly held: () => Promise<readonly HeldSnapshot[]>;
  /** Told once this process holds the run's snapshot: whoever is to go on finds it there. */
  readonly holding: (held: HeldSnapshot, plan: Plan, scope: SourceScope) => Promise<void>;
  /** Ids of runs whose snapshot somebody holds: what they left on the target is still of use. */
  readonly goingOn: () => Promise<ReadonlySet<string>>;
  /** Whether the run goes on elsewhere after it was stopped here for this reason. */
  readonly goesOn: (reason: unknown) => boolean;
}

export interface Hooks {
  /** At each border between stages; a test blocks in it and is killed. */
  border?(name: string): void | Promise<void>;
  prepared?(prepared: Prepared): void;
  /** Why no version could be taken instead of a run. */
  notReused?(why: string): void;
  /** Asked where the pipeline takes an approval: throws unless somebody approved of this plan. Without it no such run goes on. */
  approve?(planDigest: string): Promise<void>;
  /** Rows of a table that went into staging, and their bytes of COPY text. */
  moved?(table: string, rows: number, bytes: number): void;
  /** How many ranges nobody has loaded yet, where others may. */
  ranges?(open: number): void;
  built?(done: number, of: number): void;
  /** What those tell who take the version from where it was sent. */
  heard?(line: string): void;
  verified?(report: VerifyReport): void;
  checked?(results: readonly CheckResult[]): void;
  measured?(measures: PrivacyMeasures): void;
}
