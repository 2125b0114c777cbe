// `bauta runs`: the runs of a service; cancel, pause, resume or ask for one again.
import { toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { toRunPath } from './follow-run.js';
import { toCount, toTable, writeJson } from './print.js';
import { type Server, requireServer } from './server.js';

export interface RunsOptions extends GlobalOptions {
  readonly pipeline?: string;
  readonly state?: string;
  readonly count?: number;
}

/** What `/v1/runs` tells of a run. */
interface Run {
  readonly id: string;
  readonly pipeline: string;
  readonly environment: string;
  readonly state: string;
  readonly attempt: number;
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly movedRows: number;
  readonly summary: { readonly error?: { readonly code: string } } | null;
}

interface Shown extends Run {
  readonly stages: readonly Stage[];
  readonly linesLeftOut: number;
}

interface Stage {
  readonly stage: string;
  readonly attempt: number;
  readonly worker: string | null;
  readonly startedAt: string;
  readonly seconds: number | null;
  readonly rows: number | null;
  readonly lines: readonly { readonly at: string; readonly text: string }[];
}

const actions = ['cancel', 'pause', 'resume', 'rerun'];

export async function runs(action: string, id: string | undefined, options: RunsOptions): Promise<number> {
  if (action !== 'list' && action !== 'show' && !actions.includes(action))
    throw toError('OPTION_INVALID', { name: 'the action', expected: `list, show, ${actions.join(', ')}` });
  const server = await requireServer(options, 'runs');
  if (action === 'list') return tell(await list(server, options), options);
  if (id === undefined) throw toError('OPTION_MISSING', { name: 'the id of a run', expected: 'bauta runs --help' });
  if (action === 'show') return show(await server.ask<Shown>('GET', toRunPath(id)), options);
  const run = await server.ask<Run>('POST', `${toRunPath(id)}/${action}`);
  // Whoever works on it has yet to hear of it.
  if ((action === 'cancel' || action === 'pause') && run.endedAt === null && run.state !== 'paused')
    process.stderr.write(`${action === 'cancel' ? 'cancelled' : 'paused'} as soon as its worker hears of it: bauta runs show ${id}\n`);
  return tell([run], options);
}

/** The newest, newest first. */
async function list(server: Server, { pipeline, state, count = 20 }: RunsOptions): Promise<readonly Run[]> {
  const found: Run[] = [];
  for (let cursor: string | null = ''; cursor !== null && found.length < count;) {
    const query = new URLSearchParams({
      limit: String(Math.min(200, count - found.length)),
      ...(pipeline === undefined ? {} : { pipeline }),
      ...(state === undefined ? {} : { state }),
      ...(cursor === '' ? {} : { cursor }),
    });
    const page: { items: Run[]; next: string | null } = await server.ask('GET', `/v1/runs?${query.toString()}`);
    found.push(...page.items);
    cursor = page.next;
  }
  return found;
}

function tell(found: readonly Run[], options: RunsOptions): number {
  if (wantsJson(options)) writeJson({ runs: found, findings: [] });
  else process.stdout.write(`${toRunTable(found)}\n`);
  return 0;
}

function toRunTable(found: readonly Run[]): string {
  const rows = found.map(({ id, pipeline, environment, state, attempt, createdAt, endedAt, summary }) => [
    ...[id, pipeline, environment, summary?.error === undefined ? state : `${state}: ${summary.error.code}`],
    ...[String(attempt), createdAt, endedAt ?? ''],
  ]);
  return toTable([['RUN', 'PIPELINE', 'ENVIRONMENT', 'STATE', 'ATTEMPT', 'ASKED', 'ENDED'], ...rows], '');
}

function show(run: Shown, options: RunsOptions): number {
  if (wantsJson(options)) writeJson({ runs: [run], findings: [] });
  else {
    const lines = run.stages.flatMap(({ stage, attempt, worker, startedAt, seconds, rows, lines: said }) => [
      [`${stage}, attempt ${attempt}, since ${startedAt}`, toTime(seconds), rows === null ? '' : toCount(rows, 'row'), worker ?? '']
        .filter((part) => part !== '')
        .join(', '),
      ...said.map(({ at, text }) => `  ${at}  ${text}`),
    ]);
    if (run.linesLeftOut > 0) lines.push(`and ${toCount(run.linesLeftOut, 'older line')}`);
    process.stdout.write(`${[toRunTable([run]), ...lines].join('\n')}\n`);
  }
  return 0;
}

const toTime = (seconds: number | null): string => (seconds === null ? '' : `${seconds.toFixed(1)} s`);
