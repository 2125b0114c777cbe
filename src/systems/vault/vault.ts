// The door of HashiCorp Vault: what stands behind `vault:` references.
import { readFile } from 'node:fs/promises';

import { toError } from '../../kernel/errors.js';
import type { OpenKeys } from '../../pipeline/ports.js';
import type { VaultSettings } from './login.js';
import { parseVaultReference } from './reference.js';
import type { Answer, VaultHttp, VaultSession } from './session.js';
import { TransitKeyProvider } from './transit-keys.js';

export { parseVaultReference } from './reference.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Of one process. Asks nobody until something is needed. */
export class Vault {
  private session: Promise<VaultSession> | undefined;

  constructor(
    private readonly settings: VaultSettings,
    private readonly environment: Environment,
    /** `ca`: certificates of the authority, PEM. */
    private readonly connect: (ca?: string) => VaultHttp,
  ) {}

  /** The text of a field of a secret (KV version 2), or all of them as JSON; undefined: there is none. Throws VAULT_*. */
  async read(reference: string): Promise<string | undefined> {
    const named = parseVaultReference(reference);
    if (!named) throw toError('CONNECTION_REFERENCE_INVALID', { name: '[not shown]' });
    const answer = await this.ask({ method: 'GET', path: named.path });
    const fields = findFields(answer);
    if (fields === undefined) return undefined;
    if (named.field === undefined) return JSON.stringify(fields);
    const value = Object.hasOwn(fields, named.field) ? fields[named.field] : undefined;
    return typeof value === 'string' ? value : undefined;
  }

  /** Keys of the transit engine. Throws VAULT_* and KEY_*. */
  readonly openKeys: OpenKeys = (hierarchy) => new TransitKeyProvider((ask) => this.ask(ask), this.settings.BAUTA_VAULT_TRANSIT, hierarchy);

  readonly ask: VaultSession['ask'] = async (ask) => (await this.open()).ask(ask);

  async close(): Promise<void> {
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
