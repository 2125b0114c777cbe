// What a worker needs of the data plane, given by main.ts and worker.ts: documents become a request, and a request with connections opens doors.
import type { Settings } from '../../config/settings.js';
import type { SelectedDocuments } from '../../documents/documents.js';
import type { Verifier } from '../../kernel/signed-note.js';
import type { AuditSink } from '../../pipeline/ports.js';
import type { Request } from '../../pipeline/prepare.js';
import type { Doors, OpenVault, Run, Succession } from '../../pipeline/run.js';
import type { ConnectionTarget } from '../../systems/postgres/postgres.js';
import type { Leases } from '../../systems/vault/vault.js';
import type { StreamSide } from '../stream-side.js';

/** Where a run is told, who started it, and whose markers are known. */
export interface RunLog {
  readonly sink: AuditSink;
  readonly actor: () => Promise<string>;
  readonly verifiers: readonly Verifier[];
}

export interface RunComposer {
  toRequest(selected: SelectedDocuments, lock: Request['lock']): Request;
  /** Digest of the source's catalogue in the pipeline's scope; reads no row. */
  describeSource(options: {
    readonly settings: Settings;
    readonly request: Request;
    readonly source: ConnectionTarget;
    readonly leases: Leases;
    readonly signal: AbortSignal;
  }): Promise<string>;
  composeRun(options: {
    readonly settings: Settings;
    readonly home: string;
    /** Whose keys are used. */
    readonly workspace: string;
    readonly request: Request;
    readonly after: Run['after'];
    readonly source: ConnectionTarget;
    readonly target: ConnectionTarget;
    readonly builder?: ConnectionTarget;
    readonly stream?: StreamSide;
    readonly leases: Leases;
    readonly signal: AbortSignal;
    readonly runId: string;
    readonly applicationName: string;
    readonly log: RunLog;
    readonly reuse: boolean;
    readonly succession?: Succession;
    readonly vault?: OpenVault;
    readonly revoked?: (environment: string) => Promise<ReadonlySet<string>>;
  }): Promise<{ readonly doors: Doors; readonly request: Request; readonly run: Run; readonly close: () => Promise<void> }>;
}
