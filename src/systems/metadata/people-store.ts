// People of a workspace, what they were granted, and the tokens that they come with.
import { randomBytes, randomUUID } from 'node:crypto';

import { type EntityManager, In, IsNull, MoreThan } from 'typeorm';

import { toCommitment } from '../../pipeline/erasable.js';
import type { Producer } from './evidence-store.js';
import { PersonEntity } from './person.entity.js';
import { RoleGrantEntity } from './role-grant.entity.js';
import { TokenEntity } from './token.entity.js';

/** Who asks: found by a token's digest. */
export interface Identity {
  readonly tokenId: string;
  readonly workspaceId: string;
  readonly personId: string;
  /** The person who answers for it: he himself, or the owner of a service account. Persons are compared by this. */
  readonly ownerId: string;
  readonly person: string;
  /** `requester`, or `requester@dev` where it is a right in one environment. */
  readonly roles: readonly string[];
  /** The job whose identity token it is: what its issuer says of it. */
  readonly job?: Producer;
}

export interface PersonView {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  /** Of a service account: the name of who answers for it. */
  readonly owner: string | null;
  readonly createdAt: string;
  /** He was erased then: the name is `erased-person-ID`, and he may do nothing. */
  readonly erasedAt: string | null;
}

/** What was erased, and where a word still stands. */
export interface Erased {
  readonly texts: number;
  readonly documents: number;
  readonly approvals: number;
  readonly runs: number;
  readonly stillIn: readonly string[];
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

  async findById(id: string): Promise<PersonView | undefined> {
    const person = await this.manager.findOneBy(PersonEntity, { workspaceId: this.workspaceId, id });
    return person ? (await this.toViews([person]))[0] : undefined;
  }

  /** Names of the service accounts that he answers for. */
  async ownedBy(ownerId: string): Promise<readonly string[]> {
    const found = await this.manager.findBy(PersonEntity, { workspaceId: this.workspaceId, ownerId, erasedAt: IsNull() });
    return found.map(({ name }) => name).sort();
  }

  /** `words`: what else he is called. Undefined: the database refused. MUST hold the lock of grants. */
  async erase(id: string, words: readonly string[]): Promise<Erased | undefined> {
    const [row] = await this.manager.query<{ erased: Erased | null }[]>('SELECT bauta.erase_person($1, $2) AS erased', [id, words]);
    return row?.erased ?? undefined;
  }

  async countOfRole(role: string): Promise<number> {
    return this.manager.countBy(RoleGrantEntity, { workspaceId: this.workspaceId, role });
  }

  /** Throws what isDuplicate knows when the name is taken. */
  async insert(name: string, ownerId: string | null = null): Promise<{ readonly id: string; readonly nameCommitment: string }> {
    const [id, nameSalt] = [randomUUID(), randomBytes(32)];
    await this.manager.insert(PersonEntity, { id, workspaceId: this.workspaceId, name, nameSalt, ownerId });
    return { id, nameCommitment: toCommitment(nameSalt, name) };
  }

  async setRoles(personId: string, roles: readonly string[], grantedBy: string | null): Promise<void> {
    await this.manager.delete(RoleGrantEntity, { workspaceId: this.workspaceId, personId });
    for (const text of roles) {
      const [role = '', environment = ''] = text.split('@');
      await this.manager.insert(RoleGrantEntity, { workspaceId: this.workspaceId, personId, role, environment, grantedBy });
    }
  }

  /** What he may do now; nothing where there is no such person. */
  async rolesOf(personId: string): Promise<readonly string[]> {
    return (await this.manager.find(RoleGrantEntity, { where: { workspaceId: this.workspaceId, personId } })).map(toText);
  }

  /** Whether whoever came in by this would be let in now. `tokenId`: of an identity token none. */
  async isStillIn({ personId, tokenId }: Pick<Identity, 'personId'> & { readonly tokenId: string | null }): Promise<boolean> {
    const rows = await this.manager.query<unknown[]>(
      `SELECT FROM bauta.person p WHERE p.workspace_id = $1 AND p.id = $2 AND p.erased_at IS NULL AND ($3::uuid IS NULL OR EXISTS (
         SELECT FROM bauta.token t WHERE t.workspace_id = $1 AND t.id = $3 AND t.revoked_at IS NULL AND t.expires_at > now()))`,
      [this.workspaceId, personId, tokenId],
    );
    return rows.length > 0;
  }

  async namesOf(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = await this.manager.findBy(PersonEntity, { workspaceId: this.workspaceId, id: In([...new Set(ids)]) });
    return new Map(found.map(({ id, name }) => [id, name]));
  }

  /** The persons behind these, each once. */
  async ownersOf(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.manager.findBy(PersonEntity, { workspaceId: this.workspaceId, id: In([...ids]) });
    return new Set(found.map(({ id, ownerId }) => ownerId ?? id));
  }

  /** What a person and the service accounts that he owns may do together. */
  async rolesOfOwner(ownerId: string): Promise<readonly { readonly personId: string; readonly roles: readonly string[] }[]> {
    const all = await this.manager.find(PersonEntity, {
      where: [
        { workspaceId: this.workspaceId, id: ownerId },
        { workspaceId: this.workspaceId, ownerId },
      ],
    });
    return Promise.all(all.map(async ({ id }) => ({ personId: id, roles: await this.rolesOf(id) })));
  }

  /** One change of grants at a time in a workspace, until the transaction ends: who is an administrator does not change meanwhile. */
  async lock(): Promise<void> {
    await this.manager.query(`SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('bauta grants ' || $1, 0))`, [
      this.workspaceId,
    ]);
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
    const grants = await this.manager.find(RoleGrantEntity, {
      where: people.map(({ id }) => ({ personId: id })),
      order: { role: 'ASC', environment: 'ASC' },
    });
    const owners = await this.manager.findBy(PersonEntity, { id: In(people.flatMap(({ ownerId }) => ownerId ?? [])) });
    return people.map(({ id, name, ownerId, createdAt, erasedAt }) => ({
      ...{ id, name, createdAt: createdAt.toISOString(), erasedAt: erasedAt?.toISOString() ?? null },
      owner: owners.find((owner) => owner.id === ownerId)?.name ?? null,
      roles: grants.filter(({ personId }) => personId === id).map(toText),
    }));
  }
}

const toText = ({ role, environment }: RoleGrantEntity): string => (environment === '' ? role : `${role}@${environment}`);
