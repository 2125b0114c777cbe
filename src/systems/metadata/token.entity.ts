import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';

import { PersonEntity } from './person.entity.js';

@Entity({ name: 'token', schema: 'bauta' })
export class TokenEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'person_id' })
  personId!: string;

  @Column('text')
  name!: string;

  /** HMAC-SHA-256 of the token under the server's key: what is stored cannot be used. */
  @Column('bytea', { select: false })
  digest!: Buffer;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @ManyToOne(() => PersonEntity)
  @JoinColumn({ name: 'person_id' })
  person!: Relation<PersonEntity>;
}
