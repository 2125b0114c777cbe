// `bauta incidents`: opened, followed and closed at a service.
import { writeFile } from 'node:fs/promises';

import { InputError, toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, toTable, writeJson } from './print.js';
import { type Server, parseAnswer, requireServer } from './server.js';

export interface IncidentsOptions extends GlobalOptions {
  readonly playbook?: string;
  readonly rule?: string;
  readonly reason?: string;
  readonly outcome?: string;
  readonly open?: boolean;
  readonly name?: string;
  readonly out?: string;
}

interface Incident {
  readonly id: string;
  readonly rule: string;
  readonly environment: string;
  readonly pipeline: string;
  readonly playbook: string;
  readonly openedAt: string;
  readonly state: 'under-way' | 'open' | 'closed';
  readonly frozen: boolean;
  readonly outcome: string | null;
}

interface Step {
  readonly step: string;
  readonly state: string;
  readonly error: string | null;
  readonly endedAt: string | null;
}

interface Whole extends Incident {
  readonly steps: readonly Step[];
  readonly files: readonly { readonly name: string; readonly size: number; readonly digest: string }[];
}

const actions = ['open', 'list', 'show', 'file', 'retry', 'close'];

/** Exit code 1: a step of the incident failed. */
export async function incidents(action: string, what: string | undefined, options: IncidentsOptions): Promise<number> {
  if (!actions.includes(action)) throw toError('OPTION_INVALID', { name: 'the action', expected: actions.join(', ') });
  const server = await requireServer(options, 'incidents');
  if (action === 'list') return tellAll(await server.list<Incident>(`/v1/incidents${options.open === true ? '?open=true' : ''}`), options);
  if (what === undefined) throw missing(action === 'open' ? 'the pipeline' : 'the id');
  const at = `/v1/incidents/${encodeURIComponent(what)}`;
  if (action === 'open') {
    const { playbook, rule, reason } = options;
    if (reason === undefined) throw missing('--reason');
    const wanted = { pipeline: what, reason, ...(playbook === undefined ? {} : { playbook }), ...(rule === undefined ? {} : { rule }) };
    return tell(await server.post<Whole>('/v1/incidents', wanted), options);
  }
  if (action === 'file') return save(server, at, options);
  if (action === 'retry') return tell(await server.post<Whole>(`${at}/retry`, {}), options);
  if (action === 'show') return tell(await server.ask<Whole>('GET', at), options);
  const { outcome, reason } = options;
  if (outcome === undefined) throw missing('--outcome');
  if (reason === undefined) throw missing('--reason');
  return tell(await server.post<Whole>(`${at}/close`, { outcome, reason }), options);
}

const missing = (name: string): InputError => new InputError('OPTION_MISSING', { name, expected: 'bauta incidents --help' });

async function save(server: Server, at: string, options: IncidentsOptions): Promise<number> {
  const { name = 'evidence.zip', out } = options;
  const bytes = await read(server, `${at}/files/${encodeURIComponent(name)}`);
  const path = out ?? name;
  await writeFile(path, bytes, { flag: 'wx', mode: 0o600 }).catch(() => {
    throw toError('OUTPUT_UNWRITABLE', { file: path });
  });
  if (wantsJson(options)) writeJson({ file: path, bytes: bytes.length, findings: [] });
  else process.stdout.write(`${path}: ${bytes.length} bytes\n`);
  return 0;
}

async function read(server: Server, path: string): Promise<Buffer> {
  const { pieces, close, body } = await server.own.stream(path);
  if (!pieces) throw server.toTheirs(parseAnswer(body));
  const found: Buffer[] = [];
  try {
    for await (const piece of pieces) found.push(piece);
  } finally {
    close();
  }
  return Buffer.concat(found);
}

function tellAll(found: readonly Incident[], options: GlobalOptions): number {
  if (wantsJson(options)) writeJson({ incidents: found, findings: [] });
  else if (found.length === 0) process.stdout.write('no incident\n');
  else {
    const rows = found.map(({ id, rule, environment, pipeline, openedAt, state, frozen, outcome }) => [
      ...[openedAt.slice(0, 16), rule, environment, pipeline, outcome ?? state, frozen ? 'frozen' : '', id],
    ]);
    process.stdout.write(`${toTable([['OPENED', 'RULE', 'ENVIRONMENT', 'DATASET', 'STATE', '', 'INCIDENT'], ...rows], '')}\n`);
  }
  return 0;
}

function tell(one: Whole, options: GlobalOptions): number {
  const hasFailed = one.steps.some(({ state }) => state === 'failed');
  if (wantsJson(options)) writeJson({ incident: one, findings: [] });
  else {
    const { id, rule, environment, pipeline, playbook, state, outcome, frozen, steps, files } = one;
    const freeze = frozen ? paint('frozen: nothing is provisioned', 33, process.stdout) : 'not frozen';
    process.stdout.write(
      `incident ${id}: ${rule}, ${pipeline} in ${environment}\nby the playbook ${playbook}, ${outcome ?? state}; ${freeze}\n\n`,
    );
    const colour = (of: string): string => (of === 'failed' ? paint(of, 31, process.stdout) : of);
    const rows = steps.map((step) => [step.step, colour(step.state), step.error ?? '', step.endedAt?.slice(0, 19) ?? '']);
    process.stdout.write(`${toTable([['STEP', 'STATE', 'WHY', 'ENDED'], ...rows], '')}\n`);
    for (const { name, size, digest } of files) process.stdout.write(`${name}  ${size} bytes  ${digest}\n`);
  }
  return hasFailed ? 1 : 0;
}
