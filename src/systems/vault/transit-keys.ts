// Keys that never leave Vault: one key of its transit engine per hierarchy, and what we derive is an HMAC of the label that Vault computes.
import { toError } from '../../kernel/errors.js';
import type { KeyHierarchy, KeyProvider, KeyVersion } from '../../pipeline/ports.js';
import type { Answer, Ask } from './session.js';

type AskVault = (ask: Ask) => Promise<Answer | undefined>;

/** Where Vault answers a HMAC from: `vault:v3:<base64>`. */
const MAC = /^vault:v(\d+):([A-Za-z0-9+/]{43}=)$/;
const keyBytes = 32;

interface TransitKey {
  readonly latest: number;
  /** The oldest that Vault would use or still has; what is older was destroyed. */
  readonly oldest: number;
  readonly madeAt: (version: number) => number | null;
}

/**
 * A key of type `hmac` that nobody can read: exportable and backups in plain text are off, and once on they cannot be switched off again, so a key
 * that has them is refused. Versions are Vault's own; destroyed is what `trim` removed. Vault keeps no expiry of a version.
 */
export class TransitKeyProvider implements KeyProvider {
  private readonly name: string;
  /** Derived by this provider; one provider lives as long as one run at most. */
  private readonly derived = new Map<string, Promise<Uint8Array>>();
  private latest: Promise<TransitKey | undefined> | undefined;

  constructor(
    private readonly ask: AskVault,
    private readonly mount: string,
    readonly hierarchy: KeyHierarchy,
  ) {
    this.name = toTransitName(hierarchy);
  }

  async derive(label: string, version: number): Promise<Uint8Array> {
    const at = `${version} ${label}`;
    const known = this.derived.get(at) ?? this.compute(label, version);
    this.derived.set(at, known);
    try {
      return (await known).slice();
    } catch (error) {
      this.derived.delete(at);
      throw error;
    }
  }

  async currentVersion(): Promise<number> {
    return ((await this.find()) ?? (await this.create())).latest;
  }

  expiresAt(): Promise<number | null> {
    return Promise.resolve(null);
  }

  async versions(): Promise<readonly KeyVersion[]> {
    const key = await this.look();
    return Array.from({ length: key?.latest ?? 0 }, (_, index) => {
      const version = index + 1;
      const state = version < key!.oldest ? 'destroyed' : version === key!.latest ? 'current' : 'kept';
      return { version, state, madeAt: key!.madeAt(version), expiresAt: null, destroyedAt: null };
    });
  }

  async rotate(): Promise<number> {
    if (!(await this.look())) return (await this.create()).latest;
    await this.ask({ method: 'POST', path: this.path('/rotate'), body: {}, once: true });
    this.latest = undefined;
    return this.currentVersion();
  }

  async destroyUpTo(version: number): Promise<void> {
    const key = await this.look();
    if (!key) throw this.missing(version);
    if (version >= key.latest) throw toError('KEY_VERSION_CURRENT', { amount: String(version), name: this.title() });
    const oldest = version + 1;
    this.derived.clear();
    if (oldest <= key.oldest) return;
    // Vault trims only what it may neither use nor check any more.
    const body = { min_decryption_version: oldest, min_encryption_version: oldest };
    await this.ask({ method: 'POST', path: this.path('/config'), body });
    await this.ask({ method: 'POST', path: this.path('/trim'), body: { min_available_version: oldest } });
    this.latest = undefined;
  }

  private async compute(label: string, version: number): Promise<Uint8Array> {
    const key = await this.find();
    if (!key || version > key.latest || version < 1) throw this.missing(version);
    if (version < key.oldest) throw this.destroyed(version);
    const input = Buffer.from(label, 'utf8').toString('base64');
    const path = `${this.mount}/hmac/${this.name}/sha2-256`;
    const answer = await this.ask({ method: 'POST', path, body: { input, key_version: version } }).catch(async (error: unknown) => {
      // Somebody may have destroyed it since we looked.
      const now = await this.look();
      throw now && version < now.oldest ? this.destroyed(version) : error;
    });
    const [, of, mac = ''] = MAC.exec(String((answer?.['data'] as Answer | undefined)?.['hmac'])) ?? [];
    const bytes = new Uint8Array(Buffer.from(mac, 'base64'));
    if (Number(of) !== version || bytes.length !== keyBytes) throw toError('VAULT_ANSWER_REFUSED');
    return bytes;
  }

  /** As this provider saw it first; a new version is for who opens the keys anew. */
  private async find(): Promise<TransitKey | undefined> {
    this.latest ??= this.look();
    try {
      const found = await this.latest;
      if (!found) this.latest = undefined;
      return found;
    } catch (error) {
      this.latest = undefined;
      throw error;
    }
  }

  private async look(): Promise<TransitKey | undefined> {
    const answer = await this.ask({ method: 'GET', path: this.path('') });
    if (!answer) return undefined;
    const data = (answer['data'] ?? {}) as Answer;
    const safe =
      data['exportable'] === false && data['allow_plaintext_backup'] === false && data['type'] === 'hmac' && data['derived'] !== true;
    if (!safe) throw toError('VAULT_KEY_UNSAFE', { name: this.name });
    const numbers = ['latest_version', 'min_decryption_version', 'min_available_version'].map((name) => data[name]);
    const [latest, usable, available] = numbers as [number, number, number];
    if (!Number.isSafeInteger(latest) || !Number.isSafeInteger(usable) || !Number.isSafeInteger(available))
      throw toError('VAULT_ANSWER_REFUSED');
    const made = (data['keys'] ?? {}) as Answer;
    return { latest, oldest: Math.max(available, 1), madeAt: (version) => toInstant(made[String(version)]) };
  }

  /** Vault takes a second one of the same name for the same. */
  private async create(): Promise<TransitKey> {
    const body = { type: 'hmac', key_size: keyBytes, exportable: false, allow_plaintext_backup: false };
    await this.ask({ method: 'POST', path: this.path(''), body });
    this.latest = undefined;
    const made = await this.find();
    if (!made) throw this.missing(1);
    return made;
  }

  private path(more: string): string {
    return `${this.mount}/keys/${this.name}${more}`;
  }

  private title(): string {
    const { purpose, workspace, environment } = this.hierarchy;
    return `${purpose} ${workspace}/${environment}`;
  }

  private missing(version: number): Error {
    return toError('KEY_VERSION_MISSING', { amount: String(version), file: `${this.mount}/keys/${this.name}` });
  }

  private destroyed(version: number): Error {
    return toError('KEY_VERSION_DESTROYED', { amount: String(version), name: this.title() });
  }
}

/**
 * `bauta-<purpose>-<workspace>-<environment>`, where every byte of a name that is no small letter or digit is `_` and two hexadecimal digits: no two
 * hierarchies have one name, Vault takes all of them, and a policy for a purpose is a beginning.
 */
export function toTransitName({ purpose, workspace, environment }: KeyHierarchy): string {
  return `bauta-${purpose}-${toPart(workspace)}-${toPart(environment)}`;
}

function toPart(name: string): string {
  const bytes = [...Buffer.from(name, 'utf8')];
  const spelled = bytes.map((byte) => {
    const letter = String.fromCharCode(byte);
    return /[a-z0-9]/.test(letter) ? letter : `_${byte.toString(16).padStart(2, '0')}`;
  });
  // Vault takes no name that ends with a hyphen.
  return spelled.join('') || '_';
}

/** Seconds since 1970, or a time with the key of another type. */
function toInstant(value: unknown): number | null {
  const text = typeof value === 'object' && value !== null ? (value as Answer)['creation_time'] : value;
  if (typeof text === 'number') return text * 1000;
  const at = typeof text === 'string' ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? null : at;
}
