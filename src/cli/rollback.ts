// `bauta rollback`: the previous version becomes current again, in one step, and the log knows before and after.
import { systemClock } from '../kernel/clock.js';
import { newRunId } from '../kernel/ids.js';
import type { DatasetVersion } from '../pipeline/ports.js';
import { rollBack } from '../pipeline/roll-back.js';
import { type ComposeOptions, compose } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { type Subject, choosePlace } from './place.js';
import { paint, writeJson } from './print.js';

export async function rollback(options: GlobalOptions & Subject): Promise<number> {
  const place = await choosePlace('rollback', options);
  const version = place.server
    ? await (await import('./await-errand.js')).awaitErrand<DatasetVersion>(place.server, '/v1/rollbacks', place.pipeline)
    : await rollBackHere({ ...options, file: place.file });
  if (wantsJson(options)) writeJson({ dataset: version, findings: [] });
  else process.stdout.write(`${paint('rolled back', 32, process.stdout)}: ${version.target} is version ${version.version} again\n`);
  return 0;
}

async function rollBackHere(options: ComposeOptions): Promise<DatasetVersion> {
  const { doors, request, close } = await compose(options);
  try {
    const { environment } = request.pipeline.body.target;
    return await rollBack(doors, { id: newRunId(systemClock.now()), environment, knownSources: request.knownSources });
  } finally {
    await close();
  }
}
