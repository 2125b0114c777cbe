import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'role_grant', schema: 'bauta' })
export class RoleGrantEntity {
  @PrimaryColumn('uuid', { name: 'person_id' })
  personId!: string;

  @PrimaryColumn('text')
  role!: string;

  /** Empty: in every environment. */
  @PrimaryColumn('text')
  environment!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'granted_by', nullable: true })
  grantedBy!: string | null;
}
