import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'workspace', schema: 'bauta' })
export class WorkspaceEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;
}
