// `bauta anomalies`: what a service found odd in its log.
import { toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { toTable, writeJson } from './print.js';
import { requireServer } from './server.js';

export interface AnomaliesOptions extends GlobalOptions {
  readonly rule?: string;
}

interface Anomaly {
  readonly id: string;
  readonly rule: string;
  readonly subject: string;
  readonly environment: string | null;
  readonly pipeline: string | null;
  readonly window: string;
  readonly amount: number;
  readonly expected: number;
}

export async function anomalies(action: string, options: AnomaliesOptions): Promise<number> {
  if (action !== 'list') throw toError('OPTION_INVALID', { name: 'the action', expected: 'list' });
  const server = await requireServer(options, 'anomalies');
  const found = await server.list<Anomaly>(`/v1/anomalies${options.rule === undefined ? '' : `?rule=${encodeURIComponent(options.rule)}`}`);
  if (wantsJson(options)) writeJson({ anomalies: found, findings: [] });
  else if (found.length === 0) process.stdout.write('nothing odd was found in the log\n');
  else {
    const rows = found.map(({ rule, subject, environment, pipeline, window, amount, expected, id }) => [
      ...[window.slice(0, 16), rule, environment ?? pipeline ?? '', `${amount} of ${expected}`, subject.slice(0, 60), id],
    ]);
    process.stdout.write(`${toTable([['SINCE', 'RULE', 'WHERE', 'COUNTED', 'WHAT', 'ANOMALY'], ...rows], '')}\n`);
  }
  return 0;
}
