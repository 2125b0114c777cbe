import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'person', schema: 'bauta' })
export class PersonEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  name!: string;

  /** Of the commitment to the name, by which the log knows it; null: nobody committed to it, or the person was erased. */
  @Column('bytea', { name: 'name_salt', nullable: true, select: false })
  nameSalt!: Buffer | null;

  /** Who answers for a service account; null: it is a person. */
  @Column('uuid', { name: 'owner_id', nullable: true })
  ownerId!: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  /** Since when the name is made of the id alone. */
  @Column('timestamptz', { name: 'erased_at', nullable: true })
  erasedAt!: Date | null;
}
