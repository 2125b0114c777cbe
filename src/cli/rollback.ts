// `bauta rollback`: the previous version becomes current again, in one step, and the log knows before and after.
import { systemClock } from '../kernel/clock.js';
import { newRunId } from '../kernel/ids.js';
import { Journal } from '../pipeline/audit/audit.js';
import { settle } from '../pipeline/settle.js';
import { type ComposeOptions, compose } from './compose.js';
import { wantsJson } from './context.js';
import { paint, writeJson } from './print.js';

export async function rollback(options: ComposeOptions): Promise<number> {
  const { doors, request, close } = await compose(options);
  try {
    const journal = new Journal(doors.sink, systemClock, newRunId(systemClock.now()));
    await settle(doors);
    const { server, database } = await doors.target.place();
    const from = (await doors.target.datasets()).find(({ state }) => state === 'current')?.version ?? null;
    const data = { environment: request.pipeline.body.target.environment, server, target: database, from };
    const version = await journal.change('deliver', 'dataset.rolled-back', data, () => doors.target.rollback());
    if (wantsJson(options)) writeJson({ dataset: version, findings: [] });
    else process.stdout.write(`${paint('rolled back', 32, process.stdout)}: ${version.target} is version ${version.version} again\n`);
    return 0;
  } finally {
    await close();
  }
}
