// A worker that has nothing to do helps with a big run of another: it loads ranges that nobody has, and leaves everything else to who leads the run.
import { toError, toKnownError } from '../../kernel/errors.js';
import { share } from '../../pipeline/share.js';
import type { Execution } from './execute-run.js';
import { OutboxSink } from './outbox-sink.js';
import { toRunVault } from './run-vault.js';
import { RunSuccession } from './run-succession.js';
import { loadRequest } from './stored-request.js';

const WATCH_MS = 500;

export type Sharing = Omit<Execution, 'run' | 'moved'>;

/** Never throws for what the run itself did: who leads it finds the same. False where there is none to help with. */
export async function shareRun(sharing: Sharing): Promise<boolean> {
  const { metadata, settings, workerId, pool, stop } = sharing;
  const [found] = await metadata.query<{ workspace_id: string; id: string }>(
    'SELECT workspace_id, id FROM bauta.find_shared_run($1, $2, $3)',
    [pool, workerId, settings.BAUTA_SHARE_RANGES],
  );
  if (!found) return false;
  const run = await metadata.within(found.workspace_id, ({ runs }) => runs.find(found.id));
  if (!run) return false;
  const say = (line: string): Promise<void> =>
    metadata.within(run.workspaceId, ({ runs }) => runs.say(run.id, `worker ${workerId} ${line}`)).catch(() => undefined);
  // As soon as the run is anywhere else, or somebody else's, nothing more is loaded.
  const watching = setInterval(() => {
    void metadata
      .within(run.workspaceId, ({ runs }) => runs.find(run.id))
      .then((now) => {
        const same = now?.state === 'extracting' && now.attempt === run.attempt && now.workerId === run.workerId;
        if (!same || now.cancelRequestedAt || now.pauseRequestedAt) stop.abort(toError('RUN_TAKEN_OVER', { run: run.id }));
      })
      .catch(() => undefined);
  }, WATCH_MS);
  try {
    const count = await loadRanges({ ...sharing, run, moved: { rows: 0, bytes: 0, openRanges: 0 } });
    if (count > 0) await say(`loaded ${count} ranges of it`);
  } catch (error) {
    if (!stop.signal.aborted) await say(`stopped helping: ${toKnownError(error).code}`);
  } finally {
    clearInterval(watching);
  }
  return true;
}

async function loadRanges(execution: Execution): Promise<number> {
  const { metadata, composer, settings, run, stop, metrics } = execution;
  const stored = await loadRequest(metadata, run, composer, execution);
  const succession = new RunSuccession({ ...execution, source: stored.source, leads: false });
  const verifier = await metadata.within(run.workspaceId, ({ log }) => log.verifier());
  const opened = await composer.composeRun({
    ...{ settings, home: settings.BAUTA_HOME, after: [], signal: stop.signal, runId: run.id, applicationName: `bauta share ${run.id}` },
    ...stored,
    log: {
      sink: new OutboxSink(metadata, run.workspaceId, metrics),
      actor: () => Promise.resolve('service'),
      verifiers: verifier ? [verifier] : [],
    },
    reuse: false,
    vault: toRunVault(metadata, run),
    succession,
  });
  try {
    return await share(opened.doors, opened.request, opened.run);
  } finally {
    await opened.close();
    await succession.end(true);
  }
}
