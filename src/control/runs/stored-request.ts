// A run's documents, in the versions that it was asked for with, as the request that the data plane takes; and its connections.
import type { Settings } from '../../config/settings.js';
import { loadWritten, readText, selectDocuments } from '../../documents/documents.js';
import { type Finding, sortFindings, toError } from '../../kernel/errors.js';
import type { KnownSource } from '../../pipeline/gate/gate.js';
import type { Request } from '../../pipeline/prepare.js';
import type { Metadata, RunRow } from '../../systems/metadata/metadata.js';
import type { ConnectionDefinition } from '../../pipeline/definition.js';
import { type ConnectionTarget, resolveDefinition, resolveReference } from '../../systems/postgres/postgres.js';
import { Grants, createReadSecret } from '../references.js';
import type { Leases } from '../../systems/vault/vault.js';
import { createReadStored } from '../stores.js';
import { type StreamSide, resolveTarget } from '../stream-side.js';
import { openLeases } from '../vaults.js';
import type { RunComposer } from './run-composer.js';

export interface StoredRequest {
  /** By its name, as key hierarchies are called. */
  readonly workspace: string;
  readonly request: Request;
  readonly source: ConnectionTarget;
  readonly target: ConnectionTarget;
  readonly builder?: ConnectionTarget;
  /** Where the target is a broker. */
  readonly stream?: StreamSide;
  /** Of the connections. MUST be closed: composeRun and describeSource do. */
  readonly leases: Leases;
}

/** Throws DOCUMENTS_INVALID: what was valid when it was applied may not be in a later release. */
export async function loadRequest(
  metadata: Metadata,
  run: Pick<RunRow, 'id' | 'workspaceId' | 'pipeline' | 'documents'>,
  composer: RunComposer,
  { settings, environment }: { readonly settings: Settings; readonly environment: NodeJS.ProcessEnv },
): Promise<StoredRequest> {
  const kept = await metadata.within(run.workspaceId, async ({ documents }) => {
    const found: { file: string; written: object }[] = [];
    for (const { kind, name, version } of run.documents) {
      const document = await documents.find({ kind, name }, version);
      if (!document) throw toError('RESOURCE_UNKNOWN', { type: kind });
      found.push({ file: `${kind} ${name} version ${version}`, written: document.document });
    }
    return found;
  });
  const { locks, ...loaded } = await loadWritten(kept);
  const chosen = await selectDocuments(loaded, readText, run.pipeline);
  const findings: readonly Finding[] = [...loaded.findings, ...chosen.findings];
  if (!chosen.selected || findings.some(({ severity }) => severity === 'error'))
    throw toError('DOCUMENTS_INVALID', { file: `run ${run.id}`, amount: String(findings.length) }, sortFindings(findings));
  const request = composer.toRequest(chosen.selected, locks[0]);
  const { source, target } = request.pipeline.body;
  const { connections } = chosen.selected;
  const workspace = await metadata.workspaceName(run.workspaceId);
  const leases = await openLeases(settings, environment, settings.BAUTA_HOME);
  const read = createReadSecret({
    ...{ environment, settings, grants: await Grants.load(settings), workspace },
    readStored: createReadStored(settings, environment, leases),
  });
  const resolve = (reference: string, definition?: ConnectionDefinition): Promise<ConnectionTarget> =>
    definition ? resolveDefinition(definition, read) : resolveReference(reference, read);
  try {
    return {
      ...{ workspace, leases },
      request: { ...request, knownSources: await readKnownSources(metadata) },
      source: await resolve(source.connection, connections.source),
      ...(await resolveTarget(target, connections, read, resolve)),
      ...(target.swapSchemas && { builder: await resolve(target.swapSchemas.builder, connections.builder) }),
    };
  } catch (error) {
    await leases.close();
    throw error;
  }
}

async function readKnownSources(metadata: Metadata): Promise<readonly KnownSource[]> {
  return metadata.query<{ systemIdentifier: string; address: string; database: string }>(
    'SELECT system_identifier AS "systemIdentifier", address, database FROM bauta.source_seen',
  );
}

/** Before a row moves, so that no later run of anybody can take it for a target. */
export async function keepSource(metadata: Metadata, { systemIdentifier, address, database }: KnownSource): Promise<void> {
  await metadata.query('INSERT INTO bauta.source_seen (system_identifier, address, database) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
    ...[systemIdentifier, address, database],
  ]);
}
