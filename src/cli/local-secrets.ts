// Secrets on the command line: who runs it has them anyhow. What a document may do with them is held to the operator's grants all the same, since
// in CI the documents of a pull request are somebody else's.
import { readFile } from 'node:fs/promises';

import { type Settings } from '../config/settings.js';
import { Grants, type ReadSecret } from '../control/references.js';
import { createReadStored, isStored } from '../control/stores.js';
import { type TargetSide, resolveTarget } from '../control/stream-side.js';
import { toError } from '../kernel/errors.js';
import type { SelectedDocuments } from '../documents/documents.js';
import type { ConnectionDefinition, TargetDefinition } from '../pipeline/definition.js';
import { type ConnectionTarget, resolveConnection, resolveDefinition } from '../systems/postgres/postgres.js';
import type { Leases } from '../systems/vault/vault.js';

export interface LocalSecrets {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly settings: Settings;
  /** Keeps what Vault lends. */
  readonly leases?: Leases;
}

/** One side of a pipeline: by its reference, or by the Connection that it names. */
export async function resolveSide(
  reference: string,
  definition: ConnectionDefinition | undefined,
  secrets: LocalSecrets,
): Promise<ConnectionTarget> {
  const { environment, settings, leases } = secrets;
  if (!definition)
    return resolveConnection(reference, environment, (path) => readFile(path, 'utf8'), createReadStored(settings, environment, leases));
  return resolveDefinition(definition, createLocalRead(secrets, await Grants.load(settings)));
}

/** The other side: a database, or a broker and where it is proved what stands there. */
export async function resolveTargetSide(
  target: TargetDefinition,
  connections: SelectedDocuments['connections'],
  secrets: LocalSecrets,
): Promise<TargetSide> {
  const read = createLocalRead(secrets, await Grants.load(secrets.settings));
  // Who runs this has what the broker's address refers to, as he has the address.
  const readAny = (reference: string, place?: string): Promise<string | undefined> =>
    read(reference, connections.target ? place : undefined);
  return resolveTarget(target, connections, readAny, (reference, definition) => resolveSide(reference, definition, secrets));
}

export function createLocalRead({ environment, settings, leases }: LocalSecrets, grants: Grants): ReadSecret {
  const readStored = createReadStored(settings, environment, leases);
  return async (reference, place) => {
    if (place !== undefined && !grants.isGrantedFor('default', reference, place))
      throw toError('SECRET_NOT_GRANTED_FOR', { file: 'a Connection', path: reference, name: place });
    if (isStored(reference)) return readStored(reference);
    if (reference.startsWith('env:')) return environment[reference.slice(4)];
    return readFile(reference.slice(5), 'utf8').catch(() => undefined);
  };
}
