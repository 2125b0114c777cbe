// `bauta gate check GATE`: may this version go to that environment? Exit code 0 is a yes of a gate, or a break-glass that is good for it, and 2 a no;
// whatever kept it from being asked is 1.
import { readFile } from 'node:fs/promises';

import { type BautaError, InputError, toError, toKnownError } from '../kernel/errors.js';
import type { GlobalOptions } from './context.js';
import type { GateAnswer } from './gate-answer.js';
import { type GateReportFormat, toGateReport } from './gate-report.js';
import { paint, printError, stripControls, writeJson } from './print.js';
import { type Server, requireServer } from './server.js';
import { type BreakglassOptions, type UsedBreakglass, handIn, useBreakglass } from './use-breakglass.js';

export interface GateOptions extends Omit<GlobalOptions, 'format'>, BreakglassOptions {
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
  const server = await requireServer(options, 'gate');
  const asking = await ask(server, name, question, options);
  if (asking.answer?.allow === true || options.breakglass === undefined) return finish(name, asking, options);
  try {
    const { environment = '', service = '', commit = '', breakglass } = options;
    const used = await useBreakglass(server, { gate: name, environment, service, commit }, { ...options, breakglass });
    sayLoudly(name, used, options);
    return finish(name, { answer: toPast(asking, used) }, options);
  } catch (error) {
    printError(error);
    return finish(name, asking, options);
  }
}

/** An answer, or why there is none: no answer is no yes, and no decision either, not even where the service refused to be asked. */
type Asking = { readonly answer: GateAnswer } | { readonly answer?: never; readonly error: BautaError };

async function ask(server: Server, name: string, question: object, options: GateOptions): Promise<Asking> {
  try {
    const path = `/v1/gates/${encodeURIComponent(name)}/decisions`;
    const answer = await withinTime(server.post<GateAnswer>(path, question), options.timeout);
    if (typeof answer.allow !== 'boolean' || !Array.isArray(answer.reasons) || (!answer.allow && answer.reasons.length === 0))
      return { error: toError('SERVER_ANSWER_UNKNOWN', { name: server.own.host }) };
    // What was used while it could not be reached it is told of now, whatever it says; what it does not take is tried again the next time.
    for (const error of (await handIn(server, options)).failed) printError(error);
    return { answer };
  } catch (error) {
    return { error: toKnownError(error) };
  }
}

function finish(name: string, asking: Asking, options: GateOptions): number {
  if (asking.answer === undefined) {
    printError(asking.error);
    return isLate(asking.error) ? 4 : 1;
  }
  const format = options.json === true ? 'json' : (options.format ?? 'text');
  if (format === 'json') writeJson(asking.answer);
  else process.stdout.write(toGateReport(format, name, asking.answer));
  return asking.answer.allow ? 0 : 2;
}

/** Whoever reads the job's output cannot miss it, whatever format was asked for. */
function sayLoudly(name: string, { id, offline }: UsedBreakglass, { environment, service, commit }: GateOptions): void {
  const where = offline ? 'the service cannot be reached and was not told yet' : 'the service was told, and tells the channels';
  const line = `BREAK-GLASS ${id}: ${service} ${commit} goes to ${environment} past the gate ${name}; ${where}`;
  process.stderr.write(`${paint(stripControls(line), 31)}\n`);
}

function toPast(asking: Asking, breakglass: UsedBreakglass): GateAnswer {
  const past = { allow: true, status: 'SUCCEEDED', enforced: false, breakglass };
  if (asking.answer) return { ...asking.answer, ...past, wouldDeny: [...new Set(asking.answer.reasons.map(({ code }) => code))] };
  const { code, message, hint } = asking.error;
  return {
    ...past,
    ...{ score: 0, threshold: 0, items: [], waived: [], missing: [], decisionId: null, policy: { revision: '' }, expiresAt: '' },
    ...{ reasons: [{ code, message, hint, controlIds: [], points: 0, evidenceId: null }], wouldDeny: [code] },
  };
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
