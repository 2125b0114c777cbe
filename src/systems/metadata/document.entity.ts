import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One version of a document; never changed once it is there. */
@Entity({ name: 'document', schema: 'bauta' })
export class DocumentEntity {
  @PrimaryColumn('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @PrimaryColumn('text')
  kind!: string;

  @PrimaryColumn('text')
  name!: string;

  @PrimaryColumn('integer')
  version!: number;

  /** Digest of the definition: the same whatever the format and order of members. */
  @Column('text')
  digest!: string;

  @Column('json')
  written!: object;

  @Column('uuid', { name: 'author_id' })
  authorId!: string;

  @Column('timestamptz', { name: 'applied_at' })
  appliedAt!: Date;
}
