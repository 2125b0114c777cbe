// What ends with a version, as a target says it: what is dropped by which statement, what had to stay, and what was seen afterwards.
/** One thing of a version or of its environment, and what drops it. */
export interface DropStep {
  readonly kind: 'database' | 'schema' | 'role' | 'topic';
  readonly name: string;
  readonly statement: string;
}

export interface DropOptions {
  /** Its clones are not dropped with it: each has its own time. */
  readonly clonesStay?: boolean;
}

export interface DropKept {
  readonly kind: DropStep['kind'];
  readonly name: string;
  /** Names and counts. */
  readonly why: string;
}

export interface DropSeen {
  /** Host and port as the server itself names them. */
  readonly address: string;
  readonly things: readonly {
    readonly kind: DropStep['kind'];
    readonly name: string;
    readonly there: boolean;
    /** Connected to the database of that name. */
    readonly sessions: number;
  }[];
  /** Standbys that are connected, slots that others may follow, and how many have replayed the drop; null: not ours to see. */
  readonly replicas: { readonly connected: number; readonly slots: number; readonly replayed: number | null };
  readonly archiveMode: string;
}
