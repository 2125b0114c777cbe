// `bauta hold` and `bauta revoke`: what somebody says of a version, kept in the log with who and when; why is a text that can be erased.
import { systemClock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { newRunId } from '../kernel/ids.js';
import { type Mark, liftHold, placeHold, revoke as revokeVersion } from '../pipeline/mark-version.js';
import { type ComposeOptions, type Composed, compose } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { holdThere, revokeThere } from './mark-remote.js';
import { toHeldText, toRevokedText } from './mark-text.js';
import { type Subject, choosePlace } from './place.js';
import { writeJson } from './print.js';

export interface MarkOptions extends GlobalOptions, Subject {
  readonly reason: string;
  readonly until?: string;
  readonly lift?: boolean;
}

export async function hold(version: number, options: MarkOptions): Promise<number> {
  const { lift = false, until } = options;
  if (lift === (until !== undefined))
    throw toError('OPTION_MISSING', { name: lift ? '--lift without --until' : '--until', expected: 'bauta hold --help' });
  const place = await choosePlace('hold', options);
  if (place.server) return holdThere(place, version, { ...options, until });
  return withMark(version, { ...options, file: place.file }, async ({ doors }, mark) => {
    if (until === undefined) {
      await liftHold(doors, mark);
      return { said: `lifted: version ${version} is held no more`, json: { version, until: null } };
    }
    const held = await placeHold(doors, { ...mark, until });
    return { said: toHeldText(held.target, version, held.until), json: { version, until: held.until } };
  });
}

export async function revoke(version: number, options: MarkOptions): Promise<number> {
  const place = await choosePlace('revoke', options);
  if (place.server) return revokeThere(place, version, options);
  return withMark(version, { ...options, file: place.file }, async ({ doors }, mark) => {
    const { target } = await revokeVersion(doors, mark);
    return { said: toRevokedText(target, version), json: { version } };
  });
}

async function withMark(
  version: number,
  options: ComposeOptions & MarkOptions,
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
