import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One transition of a run. */
@Entity({ name: 'run_event', schema: 'bauta' })
export class RunEventEntity {
  @PrimaryColumn('text', { name: 'run_id' })
  runId!: string;

  @PrimaryColumn('integer')
  seq!: number;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('timestamptz')
  at!: Date;

  @Column('text')
  state!: string;

  @Column('integer')
  attempt!: number;

  @Column('uuid', { name: 'worker_id', nullable: true })
  workerId!: string | null;

  /** What the stage that ended here moved; null where stages move nothing. Bigints as text. */
  @Column('bigint', { nullable: true })
  rows!: string | null;

  @Column('bigint', { nullable: true })
  bytes!: string | null;
}
