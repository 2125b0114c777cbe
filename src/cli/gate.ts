// `bauta gate check GATE`: may this version go to that environment? Exit code 0 is a yes of a gate and 2 a no; whatever kept it from being asked is 1.
import { readFile } from 'node:fs/promises';

import { InputError, toError } from '../kernel/errors.js';
import type { GlobalOptions } from './context.js';
import type { GateAnswer } from './gate-answer.js';
import { type GateReportFormat, toGateReport } from './gate-report.js';
import { printError, writeJson } from './print.js';
import { requireServer } from './server.js';

export interface GateOptions extends Omit<GlobalOptions, 'format'> {
  readonly format?: GateReportFormat | 'json';
  readonly environment?: string;
  readonly service?: string;
  readonly commit?: string;
  readonly image?: string;
  readonly dataset?: string;
  /** Files with what `bauta attest --json` said; `-` is stdin. */
  readonly statement?: string;
  readonly environmentStatement?: string;
  /** Milliseconds. */
  readonly timeout?: number;
}

export async function gate(action: string, name: string | undefined, options: GateOptions): Promise<number> {
  if (action !== 'check') throw new InputError('OPTION_INVALID', { name: 'the action', expected: 'check' });
  if (name === undefined) throw new InputError('OPTION_MISSING', { name: 'the gate', expected: 'bauta gate --help' });
  const question = await toQuestion(options);
  const { format: asked, ...rest } = options;
  const server = await requireServer(rest, 'gate');
  const path = `/v1/gates/${encodeURIComponent(name)}/decisions`;
  let answer: GateAnswer | undefined;
  try {
    answer = await withinTime(server.post<GateAnswer>(path, question), options.timeout);
  } catch (error) {
    // No answer is no yes, and no decision either: not even where the service refused to be asked.
    printError(error);
    return isLate(error) ? 4 : 1;
  }
  if (typeof answer.allow !== 'boolean' || !Array.isArray(answer.reasons) || (!answer.allow && answer.reasons.length === 0)) {
    printError(toError('SERVER_ANSWER_UNKNOWN', { name: server.own.host }));
    return 1;
  }
  const format = options.json === true ? 'json' : (asked ?? 'text');
  if (format === 'json') writeJson(answer);
  else process.stdout.write(toGateReport(format, name, answer));
  return answer.allow ? 0 : 2;
}

async function toQuestion(options: GateOptions): Promise<object> {
  const { environment, service, commit, image, dataset, statement, environmentStatement } = options;
  for (const [option, value] of Object.entries({ '--environment': environment, '--service': service }))
    if (value === undefined) throw new InputError('OPTION_MISSING', { name: option, expected: 'bauta gate --help' });
  return {
    ...{ environment, service },
    ...(commit === undefined ? {} : { commit }),
    ...(image === undefined ? {} : { image }),
    ...(dataset === undefined ? {} : { datasetVersion: dataset }),
    ...(statement === undefined ? {} : { statement: await readStatement('--statement', statement) }),
    ...(environmentStatement === undefined
      ? {}
      : { environmentStatement: await readStatement('--environment-statement', environmentStatement) }),
  };
}

async function readStatement(name: string, file: string): Promise<object> {
  try {
    const value = JSON.parse(await readFile(file === '-' ? '/dev/stdin' : file, 'utf8')) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // As below.
  }
  throw new InputError('OPTION_INVALID', { name, expected: 'a file with what bauta attest --json said' });
}

async function withinTime<T>(answer: Promise<T>, limitMs: number | undefined): Promise<T> {
  if (limitMs === undefined) return answer;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(toError('TIMEOUT_PASSED', { amount: `${limitMs} ms` })), limitMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    // Nobody waits for it any more.
    answer.catch(() => undefined);
  }
}

const isLate = (error: unknown): boolean => (error as { readonly code?: string }).code === 'TIMEOUT_PASSED';
