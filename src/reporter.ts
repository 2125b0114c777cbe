// Makes reports of one workspace's log and does nothing else: started by the API or a worker for one order, and ends when it is carried out, or when who
// started it is gone.
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { sealProcess, tellUncaught } from './cli/seal-process.js';
import { spareMemory } from './cli/spare-memory.js';
import { storeReports } from './control/store-reports.js';
import { makeReports } from './control/make-reports.js';
import type { ReportAnswer, ReportOrder } from './control/report-order.js';
import { closeStores } from './control/stores.js';
import { systemClock } from './kernel/clock.js';
import { toKnownError } from './kernel/errors.js';
import { Metadata } from './systems/metadata/metadata.js';

tellUncaught(() => 1);
sealProcess();
spareMemory();
// It belongs to nobody's terminal.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
const lines = createInterface({ input: process.stdin });
const order = await new Promise<ReportOrder>((resolve) => lines.once('line', (line) => resolve(JSON.parse(line) as ReportOrder)));
lines.once('close', () => {
  rmSync(order.folder, { recursive: true, force: true });
  process.exit(1);
});
const answer = await carryOut(order);
process.stdout.write(JSON.stringify(answer), () => process.exit(0));

async function carryOut({ metadata: url, ...asked }: ReportOrder): Promise<ReportAnswer> {
  try {
    const metadata = await Metadata.open(url, 2);
    try {
      const papers = await makeReports(metadata, systemClock, asked);
      return asked.store ? { papers, stored: await storeReports(asked, asked.store, papers) } : { papers };
    } finally {
      if (asked.store) await closeStores(asked.store.settings);
      await metadata.close();
    }
  } catch (error) {
    const { code, where } = toKnownError(error);
    return { error: { code, where } };
  }
}
