// `bauta schedules`: when a Schedule document is due, without a service; and what a service has of schedules, paused and resumed there.
import { loadDocuments, readText, showDue } from '../documents/documents.js';
import { systemClock } from '../kernel/clock.js';
import { InputError, toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { toTable, writeJson } from './print.js';
import { requireServer } from './server.js';

export interface ScheduleOptions extends GlobalOptions {
  readonly file?: string;
  readonly count?: number;
  /** RFC 3339. */
  readonly from?: string;
}

interface Due {
  readonly name: string;
  readonly dueAt: string;
  readonly local: string;
  readonly change?: string;
}

interface State {
  readonly name: string;
  readonly version: number;
  readonly paused: boolean;
  readonly nextDueAt: string | null;
  readonly lastRun: { readonly id: string; readonly state: string; readonly dueAt: string | null } | null;
}

export async function schedules(action: string, name: string | undefined, options: ScheduleOptions): Promise<number> {
  switch (action) {
    case 'next':
      return tellDue(name === undefined ? await readDue(options) : await askDue(name, options), options);
    case 'list':
      return tellStates(await askStates(options), options);
    case 'pause':
    case 'resume': {
      if (name === undefined) throw new InputError('OPTION_MISSING', { name: 'NAME', expected: 'bauta schedules --help' });
      const server = await requireServer(options, 'schedules');
      return tellStates([toState(await server.ask<State>('POST', `${toPath(name)}/${action}`))], options);
    }
    default:
      throw new InputError('OPTION_INVALID', { name: 'the action', expected: 'next, list, pause or resume' });
  }
}

const toPath = (name: string): string => `/v1/schedules/${encodeURIComponent(name)}`;

/** Of every Schedule of the file. */
async function readDue({ file, from, count = 10 }: ScheduleOptions): Promise<readonly Due[]> {
  if (file === undefined) throw new InputError('OPTION_MISSING', { name: '--file or a name', expected: 'bauta schedules --help' });
  const fromMs = from === undefined ? systemClock.now() : Date.parse(from);
  if (Number.isNaN(fromMs)) throw new InputError('OPTION_INVALID', { name: '--from', expected: 'an instant such as 2026-10-24T00:00:00Z' });
  const { definitions, findings } = await loadDocuments(file, readText);
  if (findings.length > 0) throw toError('DOCUMENTS_INVALID', { file, amount: String(findings.length) }, findings);
  const found = definitions.flatMap(({ body }) => (body.kind === 'Schedule' ? [body] : []));
  if (found.length === 0) throw toError('DOCUMENT_CHOICE', { name: 'Schedule', expected: 'give a file with kind: Schedule' });
  return found.flatMap((schedule) => showDue(schedule, fromMs, count).map((due) => ({ name: schedule.name, ...due })));
}

async function askDue(name: string, options: ScheduleOptions): Promise<readonly Due[]> {
  const server = await requireServer(options, 'schedules');
  const answer = await server.ask<{ items: Omit<Due, 'name'>[] }>('GET', `${toPath(name)}/next?count=${options.count ?? 10}`);
  return answer.items.map((due) => ({ name, ...due }));
}

async function askStates(options: ScheduleOptions): Promise<readonly State[]> {
  return (await (await requireServer(options, 'schedules')).list<State>('/v1/schedules')).map(toState);
}

const toState = ({ name, version, paused, nextDueAt, lastRun }: State): State => ({ name, version, paused, nextDueAt, lastRun });

function tellDue(due: readonly Due[], options: ScheduleOptions): number {
  if (wantsJson(options)) writeJson({ due, findings: [] });
  else {
    const rows = due.map(({ name, dueAt, local, change = '' }) => [name, dueAt, local, change]);
    process.stdout.write(`${toTable([['SCHEDULE', 'DUE', 'ON THE CLOCK', 'CHANGE OF CLOCKS'], ...rows], '')}\n`);
  }
  return 0;
}

function tellStates(states: readonly State[], options: ScheduleOptions): number {
  if (wantsJson(options)) writeJson({ schedules: states, findings: [] });
  else {
    const rows = states.map(({ name, version, paused, nextDueAt, lastRun }) => [
      ...[name, String(version), paused ? 'paused' : (nextDueAt ?? 'never')],
      lastRun === null ? '' : `${lastRun.id} ${lastRun.state}`,
    ]);
    process.stdout.write(`${toTable([['SCHEDULE', 'VERSION', 'NEXT', 'LAST RUN'], ...rows], '')}\n`);
  }
  return 0;
}
