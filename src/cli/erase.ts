// `bauta erase`: a person is to be gone from the copies of a target; the rows are gone at the source before. Here nobody says who it is; at a service a
// worker may be told, to look for the person.
import { systemClock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { newRunId } from '../kernel/ids.js';
import { type ErasureState, erase as carryOut, toLeftText } from '../pipeline/erasure.js';
import { type ComposeOptions, compose } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { toBeyondText } from './expire.js';
import { type Subject, choosePlace } from './place.js';
import { paint, stripControls, writeJson } from './print.js';

export interface EraseOptions extends GlobalOptions, Subject {
  readonly reason?: string;
  /** At a service. */
  readonly how?: string;
  readonly subject?: string;
}

/** Exit codes: 0 nothing is left on the target · 1 something is. */
export async function erase(options: EraseOptions): Promise<number> {
  const { reason, how, subject, ...rest } = options;
  const place = await choosePlace('erase', rest);
  if (place.server) {
    if (reason === undefined) throw toError('OPTION_MISSING', { name: '--reason', expected: 'bauta erase --help' });
    const { eraseThere, toTraceTexts } = await import('./erase-remote.js');
    const done = await eraseThere(place.server, { pipeline: place.pipeline, reason, how: how ?? 'drop', subject });
    return tell(done, toTraceTexts(done), options);
  }
  if (how !== undefined || subject !== undefined) throw toError('OPTION_MISSING', { name: '--server', expected: 'bauta erase --help' });
  return tell(await eraseHere({ ...rest, file: place.file }, reason), [], options);
}

async function eraseHere(options: ComposeOptions, reason: string | undefined): Promise<ErasureState> {
  const { doors, request, run, close } = await compose(options);
  try {
    const { name: pipeline, target } = request.pipeline.body;
    const newId = (): string => newRunId(systemClock.now());
    return await carryOut(doors, { pipeline, target, newId, reason, actor: await run.actor?.() });
  } finally {
    await close();
  }
}

function tell(state: ErasureState, more: readonly string[], options: GlobalOptions): number {
  if (wantsJson(options)) writeJson({ ...state, findings: [] });
  else print(state, more);
  return state.completed ? 0 : 1;
}

function print({ target, erasures, dropped, clones, left, completed, beyond }: ErasureState, more: readonly string[]): void {
  const name = stripControls(target);
  const head = completed ? paint('erased', 32, process.stdout) : paint('not yet erased', 31, process.stdout);
  const lines = [
    `${head}: ${name}, asked for at ${erasures.map(({ id, requestedAt }) => `${requestedAt} (${id})`).join(', ')}`,
    ...dropped.map(({ version }) => `  version ${version} was dropped and seen to be gone`),
    ...clones.map((purpose) => `  the clone for ${stripControls(purpose)} was dropped`),
    ...left.map((one) => `  ${stripControls(toLeftText(one))}`),
    ...more,
    'out of reach:',
    toBeyondText({ beyond }),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
