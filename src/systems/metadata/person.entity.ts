import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'person', schema: 'bauta' })
export class PersonEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  name!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
