// The door of HashiCorp Vault: what stands behind `vault:` references.
import { readFile } from 'node:fs/promises';

import { toError, toKnownError } from '../../kernel/errors.js';
import type { OpenKeys } from '../../pipeline/ports.js';
import type { VaultSettings } from './login.js';
import { type LeaseKeeping, Leases } from './leases.js';
import { parseVaultReference } from './reference.js';
import type { Answer, VaultHttp, VaultSession } from './session.js';
import { TransitKeyProvider } from './transit-keys.js';

export { Leases } from './leases.js';
export { parseVaultReference } from './reference.js';

export interface SecretVersion {
  readonly fields: Answer;
  readonly version: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Of one process. Asks nobody until something is needed. */
export class Vault {
  private readonly lent = new Set<Leases>();
  private session: Promise<VaultSession> | undefined;

  constructor(
    private readonly settings: VaultSettings,
    private readonly environment: Environment,
    /** `ca`: certificates of the authority, PEM. */
    private readonly connect: (ca?: string) => VaultHttp,
  ) {}

  /**
   * The text of a field of a secret (KV version 2), or all of them as JSON; undefined: there is none. What Vault lends goes to `leases`, and is given
   * back at once where there are none. Throws VAULT_*.
   */
  async read(reference: string, leases?: Leases): Promise<string | undefined> {
    const named = parseVaultReference(reference);
    if (!named) throw toError('CONNECTION_REFERENCE_INVALID', { name: '[not shown]' });
    const answer = await this.ask({ method: 'GET', path: named.path });
    const isLent = typeof answer?.['lease_id'] === 'string' && answer['lease_id'] !== '';
    if (isLent) await this.lend(named.path, answer, leases);
    const fields = isLent ? answer['data'] : findFields(answer);
    if (isLent && !isRecord(fields)) throw toError('VAULT_ANSWER_REFUSED');
    if (!isRecord(fields)) return undefined;
    if (named.field === undefined) return JSON.stringify(fields);
    const value = Object.hasOwn(fields, named.field) ? fields[named.field] : undefined;
    return typeof value === 'string' ? value : undefined;
  }

  /** Every field of a secret, and the version that they are of. */
  async readVersion(path: string): Promise<SecretVersion | undefined> {
    const answer = await this.ask({ method: 'GET', path });
    const fields = findFields(answer);
    const metadata = isRecord(answer?.['data']) ? answer['data']['metadata'] : undefined;
    const version = isRecord(metadata) ? metadata['version'] : undefined;
    return fields && typeof version === 'number' ? { fields, version } : undefined;
  }

  /** The next version, which it returns the number of. Throws SECRET_CHANGED_MEANWHILE where `version` is not the newest. */
  async writeVersion(path: string, fields: object, version: number): Promise<number> {
    const answer = await this.ask({ method: 'POST', path, body: { data: fields, options: { cas: version } }, once: true }).catch(
      (error: unknown) => {
        throw toKnownError(error).code === 'VAULT_REQUEST_REFUSED' ? toError('SECRET_CHANGED_MEANWHILE', { path }) : error;
      },
    );
    const written = isRecord(answer?.['data']) ? answer['data']['version'] : undefined;
    if (typeof written !== 'number') throw toError('VAULT_ANSWER_REFUSED');
    return written;
  }

  openLeases(keeping: LeaseKeeping): Leases {
    const leases = new Leases((ask) => this.ask(ask), keeping);
    this.lent.add(leases);
    return leases;
  }

  private async lend(path: string, answer: Answer, leases: Leases | undefined): Promise<void> {
    if (leases) return leases.take(answer);
    const unkept = this.openLeases({ add: () => Promise.resolve(), remove: () => undefined, findLeft: () => [] });
    await unkept.take(answer);
    await unkept.close();
    throw toError('VAULT_LEASE_UNWANTED', { path });
  }

  /** Keys of the transit engine. Throws VAULT_* and KEY_*. */
  readonly openKeys: OpenKeys = (hierarchy) => new TransitKeyProvider((ask) => this.ask(ask), this.settings.BAUTA_VAULT_TRANSIT, hierarchy);

  readonly ask: VaultSession['ask'] = async (ask) => (await this.open()).ask(ask);

  async close(): Promise<void> {
    // Most have been closed by who had them.
    for (const leases of this.lent) await leases.close();
    this.lent.clear();
    await (await this.session?.catch(() => undefined))?.close();
    this.session = undefined;
  }

  private open(): Promise<VaultSession> {
    this.session ??= this.openSession();
    return this.session;
  }

  private async openSession(): Promise<VaultSession> {
    const { settings, environment } = this;
    if (settings.BAUTA_VAULT === '') throw toError('VAULT_UNSET');
    const ca = settings.BAUTA_VAULT_CA === '' ? undefined : await readAuthority(settings.BAUTA_VAULT_CA);
    // Who has no Vault does not wait for its client.
    const { VaultSession } = await import('./session.js');
    return new VaultSession({
      ...{ settings, http: this.connect(ca) },
      readOwn: async (reference) =>
        reference.startsWith('env:') ? environment[reference.slice(4)] : readFile(reference.slice(5), 'utf8').catch(() => undefined),
    });
  }
}

async function readAuthority(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  if (!text.includes('-----BEGIN CERTIFICATE-----'))
    throw toError('SETTING_INVALID', { name: 'BAUTA_VAULT_CA', expected: 'a file of certificates, PEM' });
  return text;
}

/** KV version 2 has what was written one level below what it says of it; a deleted version has none. */
function findFields(answer: Answer | undefined): Answer | undefined {
  const data = answer?.['data'];
  const fields = isRecord(data) ? data['data'] : undefined;
  return isRecord(fields) ? fields : undefined;
}

const isRecord = (value: unknown): value is Answer => typeof value === 'object' && value !== null && !Array.isArray(value);
