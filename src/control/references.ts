// A reference is a right, not a string: which secrets the documents of a workspace may name, to whom a password may be shown, and how they are read.
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join } from 'node:path';

import type { Settings } from '../config/settings.js';
import { type NamedSecret, grantsSchema, parseBody, readText } from '../documents/documents.js';
import { type Finding, toError, toFinding } from '../kernel/errors.js';
import { parseAwsReference } from '../systems/aws/aws.js';
import { parseVaultReference } from '../systems/vault/vault.js';
import { isStored } from './stores.js';

const LIMIT = 64 * 1024;
const DEFAULT = 'default';

interface Granted {
  /** References, or their beginnings with `*` at the end. */
  readonly references?: readonly string[];
  readonly secrets?: readonly { readonly reference: string; readonly for: string }[];
}

/** What the operator granted. Without a file: to the workspace `default` what is below, and to others nothing. */
export class Grants {
  static readonly usual = new Grants(new Map());

  private constructor(private readonly workspaces: ReadonlyMap<string, Granted>) {}

  /** Throws DOCUMENTS_INVALID. */
  static async load({ BAUTA_GRANTS: file }: Pick<Settings, 'BAUTA_GRANTS'>): Promise<Grants> {
    if (file === '') return Grants.usual;
    const text = await readText(file);
    if (text === undefined) throw toError('DOCUMENT_MISSING', { file });
    return Grants.parse(text, file);
  }

  static parse(text: string, file: string): Grants {
    const { value, findings } = parseBody(text, grantsSchema, false);
    if (findings.length > 0)
      throw toError(
        'DOCUMENTS_INVALID',
        { file, amount: String(findings.length) },
        findings.map((finding) => ({ ...finding, where: { ...finding.where, file } })),
      );
    const { workspaces } = value as unknown as { workspaces: Readonly<Record<string, Granted>> };
    return new Grants(new Map(Object.entries(workspaces)));
  }

  /** May documents of this workspace name it? */
  isGranted(workspace: string, reference: string): boolean {
    if (!isPlain(reference)) return false;
    const { references = workspace === DEFAULT ? ['env:BAUTA_CONN_*', 'file:*'] : [] } = this.workspaces.get(workspace) ?? {};
    // A name that begins with what is granted has something of its own behind it.
    return references.some((one) =>
      one.endsWith('*') ? reference.length >= one.length && reference.startsWith(one.slice(0, -1)) : reference === one,
    );
  }

  /** May it be shown to the server HOST:PORT, or HOST:PORT/DATABASE? What is not its own address has to be granted for one. */
  isGrantedFor(workspace: string, reference: string, place: string): boolean {
    const { secrets = [] } = this.workspaces.get(workspace) ?? {};
    return secrets.some((one) => one.reference === reference && toSpelling(one.for) === place);
  }

  /** Every secret that a document names, held against what was granted. */
  find(workspace: string, file: string, named: readonly NamedSecret[]): readonly Finding[] {
    return named.flatMap(({ path, reference, place }) => {
      if (!this.isGranted(workspace, reference)) return [toFinding('REFERENCE_NOT_GRANTED', { file, path })];
      if (place === undefined || this.isGrantedFor(workspace, reference, place)) return [];
      return [toFinding('SECRET_NOT_GRANTED_FOR', { file, path, name: place })];
    });
  }
}

const toSpelling = (place: string): string => {
  const end = place.indexOf('/');
  return end === -1 ? place.toLowerCase() : place.slice(0, end).toLowerCase() + place.slice(end);
};

/** A variable's name, a path inside the secrets folder by plain words, or one of Vault or AWS. What the service itself lives on is granted to nobody. */
function isPlain(reference: string): boolean {
  const variable = /^env:([A-Za-z_][A-Za-z0-9_]{0,200})$/.exec(reference)?.[1];
  if (variable !== undefined) return !variable.startsWith('BAUTA_') || /^BAUTA_CONN_./.test(variable);
  if (reference.startsWith('vault:')) return parseVaultReference(reference) !== undefined;
  if (reference.startsWith('aws:')) return parseAwsReference(reference) !== undefined;
  const words = /^file:(.{1,300})$/.exec(reference)?.[1]?.split('/') ?? [];
  return words.length > 0 && words.every((word) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(word) && !word.includes('..'));
}

/** Gives the text of a secret. `place`: the server that it will be shown to. Undefined: there is none. Throws where it was not granted. */
export type ReadSecret = (reference: string, place?: string) => Promise<string | undefined>;

export interface SecretsOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly settings: Pick<Settings, 'BAUTA_SECRETS'>;
  readonly grants: Grants;
  readonly workspace: string;
  /** Of a Vault or of AWS; absent: there is neither here. */
  readonly readStored?: (reference: string) => Promise<string | undefined>;
}

/** For documents that the service keeps: asked again at the moment of use, since a grant may be gone. */
export function createReadSecret({ environment, settings, grants, workspace, readStored }: SecretsOptions): ReadSecret {
  return async (reference, place) => {
    const named = { path: reference, reference, ...(place === undefined ? {} : { place }) };
    const [finding] = grants.find(workspace, 'a document', [named]);
    if (finding) throw toError(finding.code, finding.where);
    if (isStored(reference)) {
      if (!readStored) throw toError(reference.startsWith('aws:') ? 'AWS_UNSET' : 'VAULT_UNSET');
      return readStored(reference);
    }
    return reference.startsWith('env:') ? environment[reference.slice(4)] : readFileOf(settings.BAUTA_SECRETS, reference);
  };
}

/** No component of the path below the folder may be a link: what a link points to was granted to nobody. */
async function readFileOf(folder: string, reference: string): Promise<string | undefined> {
  const refused = toError('REFERENCE_NOT_GRANTED', { file: 'a document', path: reference });
  const found = await realpath(folder)
    .then(async (root) => ({ wanted: join(root, reference.slice(5)), real: await realpath(join(root, reference.slice(5))) }))
    .catch(() => undefined);
  if (!found) return undefined;
  if (found.real !== found.wanted) throw refused;
  const file = await open(found.wanted, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined);
  if (!file) return undefined;
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > LIMIT) throw refused;
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
