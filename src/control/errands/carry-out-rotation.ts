// The login of a connection is rotated by a worker, which alone has a way to it and to Vault.
import type { Settings } from '../../config/settings.js';
import { loadWritten } from '../../documents/documents.js';
import type { Json } from '../../kernel/canonical-json.js';
import { systemClock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { ConnectionDefinition } from '../../pipeline/definition.js';
import type { ErrandRow, Metadata } from '../../systems/metadata/metadata.js';
import { Grants, createReadSecret } from '../references.js';
import { finishRotation, rotateSecret } from '../rotate-secret.js';
import { OutboxSink, type RunObserver } from '../runs/runs.js';
import { createReadStored } from '../stores.js';
import { vaultOf } from '../vaults.js';

interface Doors {
  readonly metadata: Metadata;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly metrics: RunObserver;
}

/** What `bauta secrets rotate --json` gives. */
export async function rotateHere({ metadata, settings, environment, metrics }: Doors, workspace: string, row: ErrandRow): Promise<Json> {
  const definition = await loadConnection(metadata, workspace, row);
  const vault = vaultOf(settings, environment);
  const read = createReadSecret({
    ...{ environment, settings, grants: await Grants.load(settings), workspace: await metadata.workspaceName(workspace) },
    readStored: createReadStored(settings, environment),
  });
  const told = { sink: new OutboxSink(metadata, workspace, metrics), actor: row.requestedBy, runId: row.id };
  const carryOn = row.resumedAt === null ? rotateSecret : finishRotation;
  return { ...(await carryOn({ definition, vault, read, clock: systemClock, id: row.id }, told)) };
}

async function loadConnection(metadata: Metadata, workspace: string, { documents: [wanted] }: ErrandRow): Promise<ConnectionDefinition> {
  const kept = wanted && (await metadata.within(workspace, ({ documents }) => documents.find(wanted, wanted.version)));
  if (!kept) throw toError('RESOURCE_UNKNOWN', { type: 'connection' });
  const file = `Connection ${kept.name} version ${kept.version}`;
  const { definitions, findings } = await loadWritten([{ file, written: kept.document }]);
  for (const { body } of definitions) if (body.kind === 'Connection' && body.name === kept.name) return body;
  throw toError('DOCUMENTS_INVALID', { file, amount: String(findings.length) }, findings);
}
