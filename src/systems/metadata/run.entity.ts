import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'run', schema: 'bauta' })
export class RunEntity {
  @PrimaryColumn('text')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  pipeline!: string;

  @Column('json')
  documents!: readonly DocumentRef[];

  /** Where it delivers to. */
  @Column('text')
  environment!: string;

  @Column('text')
  state!: string;

  @Column('integer')
  attempt!: number;

  @Column('uuid', { name: 'requested_by', nullable: true })
  requestedBy!: string | null;

  /** Of a schedule: with the pipeline the key of the run. */
  @Column('timestamptz', { name: 'due_at', nullable: true })
  dueAt!: Date | null;

  /** The document that asked for it, a Schedule for one; null: a person did. */
  @Column('json', { nullable: true })
  cause!: DocumentRef | null;

  /** W3C trace context of what asked for it; null: nobody that has one. */
  @Column('text', { nullable: true })
  traceparent!: string | null;

  /** Who works on it now. */
  @Column('uuid', { name: 'worker_id', nullable: true })
  workerId!: string | null;

  @Column('timestamptz', { name: 'cancel_requested_at', nullable: true })
  cancelRequestedAt!: Date | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'started_at', nullable: true })
  startedAt!: Date | null;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  /** A bigint as text. */
  @Column('bigint', { name: 'moved_rows' })
  movedRows!: string;

  /** A bigint as text. */
  @Column('bigint', { name: 'moved_bytes' })
  movedBytes!: string;

  /** The reference of the source: what the limit of runs at once counts. */
  @Column('text')
  source!: string;

  /** Classes of tags that it touches: only a pool of workers that may touch all of them is given it. */
  @Column('text', { array: true })
  tags!: readonly string[];

  /** 0 to 9; the greater first. */
  @Column('smallint')
  priority!: number;

  /** Not claimed before. */
  @Column('timestamptz', { name: 'not_before', nullable: true })
  notBefore!: Date | null;

  /** When it has to have ended; after that it is late, and goes on. */
  @Column('timestamptz', { name: 'deadline_at', nullable: true })
  deadlineAt!: Date | null;

  @Column('timestamptz', { name: 'late_at', nullable: true })
  lateAt!: Date | null;

  @Column('timestamptz', { name: 'pause_requested_at', nullable: true })
  pauseRequestedAt!: Date | null;

  /** How often it was tried again after a failure that time can mend. */
  @Column('integer')
  retries!: number;

  /** Taken from a worker that is gone, which may have left something on the target. */
  @Column('boolean')
  abandoned!: boolean;

  /** Ranges that nobody has loaded yet, while it extracts. */
  @Column('integer', { name: 'open_ranges' })
  openRanges!: number;

  /** The run that this one does again. */
  @Column('text', { name: 'rerun_of', nullable: true })
  rerunOf!: string | null;

  /** A version that is there and would come out the same is wanted instead. */
  @Column('boolean')
  reuse!: boolean;

  @Column('json', { nullable: true })
  summary!: object | null;
}

/** The version of a document that a run was asked for with. */
export interface DocumentRef {
  readonly kind: string;
  readonly name: string;
  readonly version: number;
}
