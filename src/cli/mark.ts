// `bauta hold` and `bauta revoke`: what somebody says of a version, kept in the log with who and when; why is a text that can be erased.
import { systemClock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { newRunId } from '../kernel/ids.js';
import { type Mark, liftHold, placeHold, revoke as revokeVersion } from '../pipeline/mark-version.js';
import { type ComposeOptions, type Composed, compose } from './compose.js';
import { wantsJson } from './context.js';
import { stripControls, writeJson } from './print.js';

export interface MarkOptions extends ComposeOptions {
  readonly reason: string;
  readonly until?: string;
  readonly lift?: boolean;
}

export async function hold(version: number, options: MarkOptions): Promise<number> {
  const { lift = false, until } = options;
  if (lift === (until !== undefined))
    throw toError('OPTION_MISSING', { name: lift ? '--lift without --until' : '--until', expected: 'bauta hold --help' });
  return withMark(version, options, async ({ doors }, mark) => {
    if (until === undefined) {
      await liftHold(doors, mark);
      return { said: `lifted: version ${version} is held no more`, json: { version, until: null } };
    }
    const held = await placeHold(doors, { ...mark, until });
    return {
      said: `held: ${stripControls(held.target)}, version ${version}, until ${held.until}: nothing drops it`,
      json: { version, until: held.until },
    };
  });
}

export async function revoke(version: number, options: MarkOptions): Promise<number> {
  return withMark(version, options, async ({ doors }, mark) => {
    const { target } = await revokeVersion(doors, mark);
    return {
      said: `revoked: ${stripControls(target)}, version ${version}: nothing goes back to it, clones it or takes it again`,
      json: { version },
    };
  });
}

async function withMark(
  version: number,
  options: MarkOptions,
  work: (composed: Composed, mark: Mark) => Promise<{ readonly said: string; readonly json: object }>,
): Promise<number> {
  const composed = await compose(options);
  try {
    const { environment } = composed.request.pipeline.body.target;
    const actor = await composed.run.actor?.();
    const { said, json } = await work(composed, { id: newRunId(systemClock.now()), environment, version, reason: options.reason, actor });
    if (wantsJson(options)) writeJson({ ...json, findings: [] });
    else process.stdout.write(`${said}\n`);
    return 0;
  } finally {
    await composed.close();
  }
}
