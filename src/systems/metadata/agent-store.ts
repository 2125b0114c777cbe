// Agents of a workspace's environments: invitations, who was let in and let go, and where each stands by what it said.
import type { EntityManager } from 'typeorm';

import type { Json } from '../../kernel/canonical-json.js';

export interface AgentInvite {
  readonly tokenId: string;
  /** In hex. */
  readonly publicKey: string;
  readonly expiresAt: Date;
  /** A person's id. */
  readonly invitedBy: string;
  readonly usedAt: Date | null;
}

export interface NewAgent {
  readonly agentId: string;
  readonly publicKey: string;
  readonly recipient: string;
  readonly database: string;
  readonly systemIdentifier: string;
}

export interface AgentRow extends NewAgent {
  readonly environment: string;
  readonly enrolledAt: Date;
  readonly revokedAt: Date | null;
  readonly revocationToldAt: Date | null;
  readonly standing: Json;
  /** When somebody listened last. */
  readonly heardAt: Date | null;
}

export interface AgentStream {
  readonly pipeline: string;
  readonly askedBy: string;
  /** Offsets by partition; null: nothing was heard. */
  readonly positions: Readonly<Record<string, string>> | null;
}

const agentColumns = `a.environment, a.agent_id AS "agentId", a.public_key AS "publicKey", a.recipient, a.database,
  a.system_identifier AS "systemIdentifier", a.enrolled_at AS "enrolledAt", a.revoked_at AS "revokedAt",
  a.revocation_told_at AS "revocationToldAt", a.standing, s.heard_at AS "heardAt"`;
const joined = 'bauta.agent a JOIN bauta.agent_stream s ON s.workspace_id = a.workspace_id AND s.environment = a.environment';

export class AgentStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** By environment and id; `after` is the last of the page before. */
  async list(
    limit: number,
    { environments, after }: { readonly environments?: readonly string[] | undefined; readonly after?: readonly [string, string] },
  ): Promise<readonly AgentRow[]> {
    return this.manager.query<AgentRow[]>(
      `SELECT ${agentColumns} FROM ${joined} WHERE a.workspace_id = $1 AND ($2::text[] IS NULL OR a.environment = ANY ($2))
         AND ($3::text IS NULL OR (a.environment, a.agent_id) > ($3, $4)) ORDER BY a.environment, a.agent_id LIMIT $5`,
      [this.workspaceId, environments ?? null, after?.[0] ?? null, after?.[1] ?? null, limit],
    );
  }

  async of(environment: string): Promise<readonly AgentRow[]> {
    return this.manager.query<AgentRow[]>(`SELECT ${agentColumns} FROM ${joined} WHERE a.workspace_id = $1 AND a.environment = $2`, [
      ...[this.workspaceId, environment],
    ]);
  }

  /** Those that let somebody in, or all: an agent asks again until it hears, and who asks by one that was used is known by it. */
  async invites(environment: string, openOnly: boolean): Promise<readonly AgentInvite[]> {
    return this.manager.query<AgentInvite[]>(
      `SELECT token_id AS "tokenId", public_key AS "publicKey", expires_at AS "expiresAt", invited_by AS "invitedBy", used_at AS "usedAt" FROM bauta.agent_invite
       WHERE workspace_id = $1 AND environment = $2 AND (NOT $3 OR used_at IS NULL AND expires_at > now()) ORDER BY expires_at, token_id`,
      [this.workspaceId, environment, openOnly],
    );
  }

  async stream(environment: string, lock: '' | 'FOR UPDATE' = ''): Promise<AgentStream | undefined> {
    const [row] = await this.manager.query<AgentStream[]>(
      `SELECT pipeline, asked_by AS "askedBy", positions FROM bauta.agent_stream WHERE workspace_id = $1 AND environment = $2 ${lock}`,
      [this.workspaceId, environment],
    );
    return row;
  }

  /** A worker is asked to listen, for this person. */
  async ask(environment: string, pipeline: string, askedBy: string, now: Date): Promise<void> {
    await this.manager.query(
      `INSERT INTO bauta.agent_stream (workspace_id, environment, pipeline, asked_by, asked_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (workspace_id, environment)
       DO UPDATE SET pipeline = excluded.pipeline, asked_by = excluded.asked_by, asked_at = excluded.asked_at`,
      [this.workspaceId, environment, pipeline, askedBy, now],
    );
  }

  /** False: somebody else asked meanwhile. */
  async askAgain(environment: string, now: Date, before: Date): Promise<boolean> {
    const asked = await this.manager.query<[unknown[], number]>(
      'UPDATE bauta.agent_stream SET asked_at = $3 WHERE workspace_id = $1 AND environment = $2 AND asked_at <= $4',
      [this.workspaceId, environment, now, before],
    );
    return asked[1] === 1;
  }

  /** False: there is one of that name. */
  async invite(environment: string, { tokenId, publicKey, expiresAt, invitedBy }: Omit<AgentInvite, 'usedAt'>): Promise<boolean> {
    const inserted = await this.manager.query<unknown[]>(
      `INSERT INTO bauta.agent_invite (workspace_id, environment, token_id, public_key, expires_at, invited_by)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING token_id`,
      [this.workspaceId, environment, tokenId, publicKey, expiresAt, invitedBy],
    );
    return inserted.length === 1;
  }

  /** Of the open ones: they let nobody in any more. How many there were. */
  async endInvites(environment: string): Promise<number> {
    const [, count] = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.agent_invite SET expires_at = now() WHERE workspace_id = $1 AND environment = $2 AND used_at IS NULL AND expires_at > now()`,
      [this.workspaceId, environment],
    );
    return count;
  }

  /** False: it is in already, or was let go. */
  async enrol(environment: string, agent: NewAgent, tokenId: string, standing: object): Promise<boolean> {
    await this.manager.query(
      'UPDATE bauta.agent_invite SET used_at = clock_timestamp() WHERE workspace_id = $1 AND environment = $2 AND token_id = $3',
      [this.workspaceId, environment, tokenId],
    );
    const { agentId, publicKey, recipient, database, systemIdentifier } = agent;
    const inserted = await this.manager.query<unknown[]>(
      `INSERT INTO bauta.agent (workspace_id, environment, agent_id, public_key, recipient, database, system_identifier, standing)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING agent_id`,
      [this.workspaceId, environment, agentId, publicKey, recipient, database, systemIdentifier, JSON.stringify(standing)],
    );
    return inserted.length === 1;
  }

  /** False: there is none of that name, or it was let go already. */
  async revoke(environment: string, agentId: string, revokedBy: string): Promise<boolean> {
    const revoked = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.agent SET revoked_at = clock_timestamp(), revoked_by = $4
       WHERE workspace_id = $1 AND environment = $2 AND agent_id = $3 AND revoked_at IS NULL`,
      [this.workspaceId, environment, agentId, revokedBy],
    );
    return revoked[1] === 1;
  }

  async toldRevocation(environment: string, agentId: string): Promise<void> {
    await this.manager.query(
      'UPDATE bauta.agent SET revocation_told_at = clock_timestamp() WHERE workspace_id = $1 AND environment = $2 AND agent_id = $3',
      [this.workspaceId, environment, agentId],
    );
  }

  async stand(environment: string, agentId: string, standing: object): Promise<void> {
    await this.manager.query('UPDATE bauta.agent SET standing = $4 WHERE workspace_id = $1 AND environment = $2 AND agent_id = $3', [
      ...[this.workspaceId, environment, agentId, JSON.stringify(standing)],
    ]);
  }

  /** MUST be in the transaction that locked the stream. */
  async heard(environment: string, positions: Readonly<Record<string, string>>): Promise<void> {
    await this.manager.query(
      'UPDATE bauta.agent_stream SET positions = $3, heard_at = clock_timestamp() WHERE workspace_id = $1 AND environment = $2',
      [this.workspaceId, environment, JSON.stringify(positions)],
    );
  }

  async revoked(environment: string): Promise<ReadonlySet<string>> {
    const found = await this.manager.query<{ id: string }[]>(
      'SELECT agent_id AS id FROM bauta.agent WHERE workspace_id = $1 AND environment = $2 AND revoked_at IS NOT NULL',
      [this.workspaceId, environment],
    );
    return new Set(found.map(({ id }) => id));
  }
}
