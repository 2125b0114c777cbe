// `bauta breach aware`: a named person says that he knows of a breach. From then on the 72 hours of Art. 33 GDPR run.
import { join } from 'node:path';

import { parseSettings } from '../config/settings.js';
import { systemClock, toTimestamp } from '../kernel/clock.js';
import { InputError, toError } from '../kernel/errors.js';
import { newRunId } from '../kernel/ids.js';
import { readEvents } from '../systems/files/files.js';
import { openHomeLog } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { writeJson } from './print.js';
import { toInstant } from './report-log.js';
import { findServer } from './server.js';

export interface BreachOptions extends GlobalOptions {
  readonly environment?: string;
  readonly detected?: string;
  readonly incident?: string;
}

export interface Aware {
  readonly at: string;
  readonly environment: string;
  readonly detectedAt: string;
  readonly incident: string | null;
}

const CLOCK_MS = 72 * 3_600_000;

export async function breach(action: string, options: BreachOptions): Promise<number> {
  if (action !== 'aware') throw new InputError('OPTION_INVALID', { name: 'the action', expected: 'aware' });
  const { environment, incident = null } = options;
  if (environment === undefined) throw new InputError('OPTION_MISSING', { name: '--environment', expected: 'bauta breach --help' });
  const detectedAt = toInstant('--detected', options.detected);
  const said = { environment, detectedAt, incident };
  const server = await findServer(options);
  const aware = server ? await server.post<Aware>('/v1/breaches', said) : await tellHome(options, said);
  const endsAt = toTimestamp(Date.parse(aware.at) + CLOCK_MS);
  if (wantsJson(options)) writeJson({ ...aware, endsAt, findings: [] });
  else
    process.stdout.write(
      `aware since ${aware.at}, detected ${aware.detectedAt}: a controller’s 72 hours end ${endsAt}; a processor tells the controller without undue delay\n`,
    );
  return 0;
}

/** Throws BREACH_DETECTED_LATER and RESOURCE_UNKNOWN. */
async function tellHome(options: BreachOptions, said: Omit<Aware, 'at'>): Promise<Aware> {
  const settings = parseSettings(process.env);
  const home = options.home ?? settings.BAUTA_HOME;
  const now = systemClock.now();
  if (Date.parse(said.detectedAt) > now) throw toError('BREACH_DETECTED_LATER', { expected: toTimestamp(now) });
  const started = await readEvents(join(home, 'log'), ['run.started']);
  if (!started.some(({ data }) => data['environment'] === said.environment)) throw toError('RESOURCE_UNKNOWN', { type: 'environment' });
  const { sink, actor } = await openHomeLog(home, settings);
  try {
    const at = toTimestamp(now);
    const data = { ...said, actor: await actor() };
    await sink.append({ runId: newRunId(now), stage: 'control', type: 'breach.aware', at, data });
    return { at, ...said };
  } finally {
    await sink.close();
  }
}
