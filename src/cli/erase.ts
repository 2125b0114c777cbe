// `bauta erase`: a person is to be gone from the copies of a target. Who it is is not said: the rows are gone at the source before.
import { systemClock } from '../kernel/clock.js';
import { newRunId } from '../kernel/ids.js';
import { type ErasureState, erase as carryOut, toLeftText } from '../pipeline/erasure.js';
import { type ComposeOptions, compose } from './compose.js';
import { wantsJson } from './context.js';
import { toBeyondText } from './expire.js';
import { paint, stripControls, writeJson } from './print.js';

export interface EraseOptions extends ComposeOptions {
  readonly reason?: string;
}

/** Exit codes: 0 nothing is left on the target · 1 something is. */
export async function erase({ reason, ...options }: EraseOptions): Promise<number> {
  const { doors, request, run, close } = await compose(options);
  try {
    const { name: pipeline, target } = request.pipeline.body;
    const newId = (): string => newRunId(systemClock.now());
    const state = await carryOut(doors, { pipeline, target, newId, reason, actor: await run.actor?.() });
    if (wantsJson(options)) writeJson({ ...state, findings: [] });
    else print(state);
    return state.completed ? 0 : 1;
  } finally {
    await close();
  }
}

function print({ target, erasures, dropped, clones, left, completed, beyond }: ErasureState): void {
  const name = stripControls(target);
  const head = completed ? paint('erased', 32, process.stdout) : paint('not yet erased', 31, process.stdout);
  const lines = [
    `${head}: ${name}, asked for at ${erasures.map(({ id, requestedAt }) => `${requestedAt} (${id})`).join(', ')}`,
    ...dropped.map(({ version }) => `  version ${version} was dropped and seen to be gone`),
    ...clones.map((purpose) => `  the clone for ${stripControls(purpose)} was dropped`),
    ...left.map((one) => `  ${stripControls(toLeftText(one))}`),
    'out of reach:',
    toBeyondText({ beyond }),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
