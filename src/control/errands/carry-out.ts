// What each errand is: the very functions of the data plane that the command calls on one's own machine.
import type { Settings } from '../../config/settings.js';
import type { Json } from '../../kernel/canonical-json.js';
import { systemClock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { newRunId } from '../../kernel/ids.js';
import { type Expire, expire } from '../../pipeline/expire.js';
import { formatVerifierKey } from '../../kernel/signed-note.js';
import { handOut } from '../../pipeline/hand-out.js';
import { readMarkedDatasets } from '../../pipeline/marked-datasets.js';
import { toPlanAnswer } from '../../pipeline/plan-answer.js';
import { prepare } from '../../pipeline/prepare.js';
import { quarantine } from '../../pipeline/quarantine.js';
import { rollBack } from '../../pipeline/roll-back.js';
import { lookAndTell } from '../look-and-tell.js';
import { openArchive } from '../open-archive.js';
import type { ErrandRow, Metadata } from '../../systems/metadata/metadata.js';
import { changeKeys } from './change-keys.js';
import { requireNotFrozen } from '../frozen.js';
import { collectHere } from './collect-evidence.js';
import { type HandedErasure, eraseHere, findOthers } from './carry-out-erasure.js';
import { takeOver } from './hand-over.js';
import { rotateHere } from './carry-out-rotation.js';
import type { Outcome } from './find-errand.js';
import { hearHere } from './hear-agents.js';
import { cloneHere, uncloneHere } from './carry-out-clone.js';
import { OutboxSink, type RunComposer, type RunObserver, loadRequest, toRunVault } from '../runs/runs.js';

export interface ErrandOptions {
  readonly metadata: Metadata;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly composer: RunComposer;
  readonly metrics: RunObserver;
}

/** As a request for it has it. */
type WantedExpiry = Pick<Expire, 'withdraw' | 'dryRun'>;

/** What the command's --json gives, or a part of it. Throws what went wrong. */
export async function carryOut(options: ErrandOptions, workspace: string, row: ErrandRow, signal: AbortSignal): Promise<Outcome> {
  const { metadata, composer, settings, metrics } = options;
  if (row.kind === 'key-rotation' || row.kind === 'key-destruction') return { result: await changeKeys(options, workspace, row) };
  if (row.kind === 'evidence') return { result: await collectHere(options, workspace, row) };
  if (row.kind === 'secret-rotation') return { result: await rotateHere(options, workspace, row) };
  // Before anything else: the request that hands it over is waiting.
  const handed = row.kind === 'erase' || row.kind === 'reach' ? await takeOver(metadata, workspace, row.id) : '';
  const stored = await loadRequest(metadata, { ...row, workspaceId: workspace }, composer, options);
  if (row.kind === 'agents') {
    try {
      return { result: await hearHere(options, workspace, row, stored) };
    } finally {
      await stored.leases.close();
    }
  }
  // Asked for before the incident was opened, and not begun.
  if (row.kind === 'clone' || row.kind === 'archive' || row.kind === 'rollback')
    await metadata.within(workspace, (transaction) => requireNotFrozen(transaction, row.environment, row.pipeline));
  const verifier = await metadata.within(workspace, ({ log }) => log.verifier());
  const verifiers = verifier ? [verifier] : [];
  const { doors, request, close } = await composer.composeRun({
    ...{ settings, home: settings.BAUTA_HOME, after: [], signal, runId: row.id, applicationName: `bauta ${row.kind} ${row.id}` },
    ...stored,
    log: { sink: new OutboxSink(metadata, workspace, metrics), actor: () => Promise.resolve(row.requestedBy), verifiers },
    reuse: false,
    vault: toRunVault(metadata, { ...row, workspaceId: workspace }),
    revoked: (of) => metadata.within(workspace, ({ agents }) => agents.revoked(of)),
  });
  try {
    switch (row.kind) {
      case 'plan':
        return { result: toJson(toPlanAnswer(await prepare(doors, request))) };
      case 'datasets':
        return { result: toJson({ datasets: await readMarkedDatasets(doors, verifiers) }) };
      case 'expire': {
        const { withdraw, dryRun = false } = row.wanted as unknown as WantedExpiry;
        if (await metadata.within(workspace, ({ errands }) => errands.isRunning(row.pipeline)))
          throw toError('TARGET_BUSY', { name: row.pipeline });
        const order = { pipeline: row.pipeline, target: request.pipeline.body.target, verifiers, newId: () => newRunId(systemClock.now()) };
        return { result: toJson(await expire(doors, { ...order, withdraw, dryRun, actor: row.requestedBy })) };
      }
      case 'erase': {
        if (await metadata.within(workspace, ({ errands }) => errands.isRunning(row.pipeline)))
          throw toError('TARGET_BUSY', { name: row.pipeline });
        const of = { metadata, workspace: { id: workspace, name: stored.workspace }, row, doors, request };
        return await eraseHere({ ...of, target: stored.stream ? undefined : stored.target }, JSON.parse(handed) as HandedErasure);
      }
      case 'reach': {
        const subject = JSON.parse(handed) as HandedErasure['subject'];
        const of = { doors, request, target: stored.stream ? undefined : stored.target };
        const reached = await lookAndTell(of, subject, row.requestedBy);
        return {
          result: toJson({ ...reached, others: await metadata.within(workspace, (transaction) => findOthers(transaction, row.pipeline)) }),
        };
      }
      case 'clone':
        return await cloneHere(metadata, workspace, row, doors, request, stored.target);
      case 'unclone':
        return await uncloneHere(metadata, workspace, row, doors);
      case 'archive': {
        const { recipient } = row.wanted as { readonly recipient: string };
        const of = { workspace: stored.workspace, environment: row.environment };
        const open = (name: string): Promise<Uint8Array> => openArchive(settings, of, name, recipient);
        const order = { ...row, actor: row.requestedBy, recipient, verifiers, open, knownSources: request.knownSources };
        return { result: toJson({ ...(await handOut(doors, order)), log: verifier ? formatVerifierKey(verifier) : null }) };
      }
      case 'quarantine': {
        const { run } = row.wanted as { readonly run: string };
        await quarantine(doors, { id: row.id, environment: row.environment, run });
        await metadata.within(workspace, ({ datasets }) => datasets.quarantine(run));
        return { result: { run } };
      }
      case 'rollback': {
        // Before it holds the target's lock a run is at work, too; after it the lock is what keeps them apart.
        const { server, database } = await doors.target.place();
        if (await metadata.within(workspace, ({ errands }) => errands.isRunning(row.pipeline)))
          throw toError('TARGET_BUSY', { name: database });
        const version = await rollBack(doors, {
          id: row.id,
          environment: row.environment,
          actor: row.requestedBy,
          knownSources: request.knownSources,
        });
        return { result: toJson(version), rolledBack: { server, target: version.target, runId: version.runId } };
      }
    }
  } finally {
    await close();
  }
}

/** As it would be written; what is undefined is not there. */
const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
