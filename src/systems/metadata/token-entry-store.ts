// Drawn tokens of a workspace and what they stand for, encrypted by who asks: this store sees neither a value nor a key. One statement a batch.
import type { EntityManager } from 'typeorm';

export interface NewTokenEntry {
  readonly token: string;
  readonly keyVersion: number;
  readonly foundBy: Uint8Array;
  readonly subjectBy: Uint8Array | null;
  readonly sealed: Uint8Array;
}

export interface TokenEntry {
  readonly token: string;
  readonly keyVersion: number;
  /** Null: destroyed. */
  readonly foundBy: Buffer | null;
  readonly sealed: Buffer | null;
}

export interface TokenPlace {
  readonly environment: string;
  readonly domain: string;
}

const columns = `token, key_version AS "keyVersion", found_by AS "foundBy", sealed`;

export class TokenEntryStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** Those of the values that have a token. */
  findByValue({ environment, domain }: TokenPlace, foundBy: readonly Uint8Array[]): Promise<TokenEntry[]> {
    return this.manager.query<TokenEntry[]>(
      `SELECT ${columns} FROM bauta.token_entry
       WHERE workspace_id = $1 AND environment = $2 AND domain = $3 AND found_by = ANY ($4::bytea[])`,
      [this.workspaceId, environment, domain, toLiterals(foundBy)],
    );
  }

  findByToken({ environment, domain }: TokenPlace, tokens: readonly string[]): Promise<TokenEntry[]> {
    return this.manager.query<TokenEntry[]>(
      `SELECT ${columns} FROM bauta.token_entry
       WHERE workspace_id = $1 AND environment = $2 AND domain = $3 AND token = ANY ($4::text[])`,
      [this.workspaceId, environment, domain, tokens],
    );
  }

  /**
   * Until the end of the transaction. Who knows one version of the key alone shares the domain with others like him, since one digest cannot be kept
   * twice; who knows several has it alone, since a value has a digest under each.
   */
  async lock({ environment, domain }: TokenPlace, how: 'alone' | 'shared'): Promise<void> {
    await this.manager.query(
      `SELECT pg_catalog.pg_advisory_xact_lock${how === 'shared' ? '_shared' : ''}(
         pg_catalog.hashtextextended(pg_catalog.concat_ws(E'\\t', 'bauta tokens', $1::text, $2::text, $3::text), 0))`,
      [this.workspaceId, environment, domain],
    );
  }

  /** The newest version of the key under which the domain has an entry; 0: it has none. */
  async newestVersion({ environment, domain }: TokenPlace): Promise<number> {
    const [row] = await this.manager.query<{ newest: number }[]>(
      `SELECT coalesce(max(key_version), 0) AS newest FROM bauta.token_entry WHERE workspace_id = $1 AND environment = $2 AND domain = $3`,
      [this.workspaceId, environment, domain],
    );
    return row?.newest ?? 0;
  }

  /** Leaves out what is there: a token that stands for something else, a value that somebody else gave a token meanwhile. The tokens of the others. */
  async insert({ environment, domain }: TokenPlace, purpose: string, entries: readonly NewTokenEntry[]): Promise<readonly string[]> {
    // In the order of the values, so that two batches that meet wait for each other and not in a circle.
    const sorted = [...entries].sort((a, b) => Buffer.compare(a.foundBy, b.foundBy));
    const made = await this.manager.query<{ token: string }[]>(
      `WITH made AS (INSERT INTO bauta.token_entry (workspace_id, environment, domain, purpose, token, key_version, found_by, subject_by, sealed)
       SELECT $1, $2, $3, $4, e.* FROM unnest($5::text[], $6::integer[], $7::bytea[], $8::bytea[], $9::bytea[]) e
       ON CONFLICT DO NOTHING RETURNING token) SELECT token FROM made`,
      [
        ...[this.workspaceId, environment, domain, purpose, sorted.map(({ token }) => token), sorted.map(({ keyVersion }) => keyVersion)],
        toLiterals(sorted.map(({ foundBy }) => foundBy)),
        sorted.map(({ subjectBy }) => (subjectBy ? toLiteral(subjectBy) : null)),
        toLiterals(sorted.map(({ sealed }) => sealed)),
      ],
    );
    return made.map(({ token }) => token);
  }

  /** Destroys what is known of these subjects; how many entries that were. Their tokens stay, and stand for nothing. */
  async shred(environment: string, subjectBy: readonly Uint8Array[]): Promise<number> {
    const [, count] = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.token_entry SET found_by = NULL, subject_by = NULL, sealed = NULL, shredded_at = clock_timestamp()
       WHERE workspace_id = $1 AND environment = $2 AND subject_by = ANY ($3::bytea[])`,
      [this.workspaceId, environment, toLiterals(subjectBy)],
    );
    return count;
  }

  /** Names of domains of the environment that have entries. */
  async domains(environment: string): Promise<readonly string[]> {
    const found = await this.manager.query<{ domain: string }[]>(
      'SELECT DISTINCT domain FROM bauta.token_entry WHERE workspace_id = $1 AND environment = $2',
      [this.workspaceId, environment],
    );
    return found.map(({ domain }) => domain);
  }
}

// The driver would write an array of buffers as one.
const toLiteral = (bytes: Uint8Array): string => `\\x${Buffer.from(bytes).toString('hex')}`;
const toLiterals = (all: readonly Uint8Array[]): readonly string[] => all.map(toLiteral);
