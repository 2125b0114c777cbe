// Holds the snapshot of one run and does nothing else, so that the run can go on where it was when its worker is gone. Started by the worker, which
// it outlives; ends when its row is gone, its lease has passed, or the source has to bear too much.
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import { openSourceOf } from './cli/compose.js';
import { sealProcess, tellUncaught } from './cli/seal-process.js';
import type { HolderOrder } from './control/runs/runs.js';
import { Metadata } from './systems/metadata/metadata.js';

const LOOK_MS = 500;

tellUncaught(() => 1);
sealProcess();
// It belongs to nobody's terminal, and what ends the service is not to end it.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
const order = JSON.parse(await text(process.stdin)) as HolderOrder;
process.exitCode = (await holdOn(order)) ? 0 : 1;

async function holdOn({ id, runId, workspaceId, plan, scope, held, leaseMs, ...order }: HolderOrder): Promise<boolean> {
  const source = openSourceOf(order.settings, order.source);
  const metadata = await Metadata.open(order.metadata, 1);
  try {
    const snapshot = await source.join(plan, scope, [held]);
    if (!snapshot) return false;
    let exceeded = false;
    snapshot.exceeded.catch(() => (exceeded = true));
    const { moment, id: name, backend, openedAtMs } = snapshot.held;
    const row = { id, workerId: null, moment, snapshot: name, backend, openedAtMs };
    await metadata.within(workspaceId, ({ holders }) => holders.add(runId, row, leaseMs));
    process.stdout.on('error', () => undefined).write('held\n');
    for (let heardAt = performance.now(); !exceeded; await sleep(LOOK_MS)) {
      const wanted = await metadata.within(workspaceId, ({ holders }) => holders.isWanted(id)).catch(() => undefined);
      if (wanted === false) break;
      if (wanted) heardAt = performance.now();
      // Nobody can say that it is wanted: then by its lease it is not.
      else if (performance.now() - heardAt > leaseMs) break;
    }
    await metadata.within(workspaceId, ({ holders }) => holders.removeOne(id)).catch(() => undefined);
    return true;
  } finally {
    await source.close();
    await metadata.close();
  }
}
