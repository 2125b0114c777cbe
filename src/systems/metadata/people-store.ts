// People of a workspace, what they were granted, and the tokens that they come with.
import { randomUUID } from 'node:crypto';

import { type EntityManager, MoreThan } from 'typeorm';

import { PersonEntity } from './person.entity.js';
import { RoleGrantEntity } from './role-grant.entity.js';
import { TokenEntity } from './token.entity.js';

/** Who asks: found by a token's digest. */
export interface Identity {
  readonly tokenId: string;
  readonly workspaceId: string;
  readonly personId: string;
  readonly person: string;
  readonly roles: readonly string[];
}

export interface PersonView {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly createdAt: string;
}

export interface TokenView {
  readonly id: string;
  readonly person: string;
  readonly name: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
}

export class PeopleStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  async list(limit: number, after?: string): Promise<readonly PersonView[]> {
    const where = { workspaceId: this.workspaceId, ...(after === undefined ? {} : { name: MoreThan(after) }) };
    return this.toViews(await this.manager.find(PersonEntity, { where, order: { name: 'ASC' }, take: limit }));
  }

  async find(name: string): Promise<PersonView | undefined> {
    const person = await this.manager.findOneBy(PersonEntity, { workspaceId: this.workspaceId, name });
    return person ? (await this.toViews([person]))[0] : undefined;
  }

  async countOfRole(role: string): Promise<number> {
    return this.manager.countBy(RoleGrantEntity, { workspaceId: this.workspaceId, role });
  }

  /** Throws what isDuplicate knows when the name is taken. */
  async insert(name: string): Promise<string> {
    const id = randomUUID();
    await this.manager.insert(PersonEntity, { id, workspaceId: this.workspaceId, name });
    return id;
  }

  async setRoles(personId: string, roles: readonly string[], grantedBy: string | null): Promise<void> {
    await this.manager.delete(RoleGrantEntity, { workspaceId: this.workspaceId, personId });
    for (const role of roles) await this.manager.insert(RoleGrantEntity, { workspaceId: this.workspaceId, personId, role, grantedBy });
  }

  async insertToken(personId: string, name: string, digest: Uint8Array, expiresAt: Date): Promise<string> {
    const id = randomUUID();
    await this.manager.insert(TokenEntity, { id, workspaceId: this.workspaceId, personId, name, digest: Buffer.from(digest), expiresAt });
    return id;
  }

  async listTokens(limit: number, after?: string): Promise<readonly TokenView[]> {
    const where = { workspaceId: this.workspaceId, ...(after === undefined ? {} : { id: MoreThan(after) }) };
    const tokens = await this.manager.find(TokenEntity, { where, relations: { person: true }, order: { id: 'ASC' }, take: limit });
    return tokens.map(({ id, person, name, createdAt, expiresAt, revokedAt }) => ({
      ...{ id, person: person.name, name },
      createdAt: createdAt.toISOString(),
      expiresAt: expiresAt.toISOString(),
      revokedAt: revokedAt?.toISOString() ?? null,
    }));
  }

  /** False when there is none of that id that is still valid. */
  async revokeToken(id: string, at: Date): Promise<boolean> {
    const { affected } = await this.manager
      .createQueryBuilder()
      .update(TokenEntity)
      .set({ revokedAt: at })
      .where('id = :id AND workspaceId = :workspaceId AND revokedAt IS NULL', { id, workspaceId: this.workspaceId })
      .execute();
    return affected === 1;
  }

  async insertFirstToken(digest: Uint8Array, expiresAt: Date): Promise<void> {
    await this.manager.query('INSERT INTO bauta.first_token (digest, workspace_id, expires_at) VALUES ($1, $2, $3)', [
      digest,
      this.workspaceId,
      expiresAt,
    ]);
  }

  /** False when it is not valid, or not any more. */
  async useFirstToken(digest: Uint8Array): Promise<boolean> {
    const [row] = await this.manager.query<{ workspace_id: string | null }[]>('SELECT bauta.use_first_token($1) AS workspace_id', [digest]);
    return row?.workspace_id === this.workspaceId;
  }

  private async toViews(people: readonly PersonEntity[]): Promise<readonly PersonView[]> {
    if (people.length === 0) return [];
    const grants = await this.manager.find(RoleGrantEntity, { where: people.map(({ id }) => ({ personId: id })), order: { role: 'ASC' } });
    return people.map(({ id, name, createdAt }) => ({
      ...{ id, name, createdAt: createdAt.toISOString() },
      roles: grants.filter(({ personId }) => personId === id).map(({ role }) => role),
    }));
  }
}
