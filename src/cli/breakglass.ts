// `bauta breakglass`: one deployment past its gate. Asked for, listed, fetched, reviewed and handed in at a service.
import { writeFileSync } from 'node:fs';

import { InputError, toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, printError, toTable, writeJson } from './print.js';
import { type Server, requireServer } from './server.js';
import { handIn } from './use-breakglass.js';

export interface BreakglassCommandOptions extends GlobalOptions {
  readonly environment?: string;
  readonly service?: string;
  readonly commit?: string;
  /** Milliseconds. */
  readonly for?: number;
  readonly reason?: string;
  readonly comment?: string;
  readonly output?: string;
}

interface Shown {
  readonly id: string;
  readonly gate: string;
  readonly environment: string;
  readonly service: string;
  readonly commit: string;
  readonly expiresAt: string;
  readonly state: 'issued' | 'used' | 'expired';
  readonly usedAgain: number;
  readonly reviewedAt: string | null;
  readonly reviewUntil: string | null;
  readonly exception: boolean;
}

export async function breakglass(action: string, what: string | undefined, options: BreakglassCommandOptions): Promise<number> {
  const server = await requireServer(options, 'breakglass');
  if (action === 'list') return tell(await server.list<Shown>('/v1/breakglasses'), options);
  if (action === 'hand-in') return handInAll(server, options);
  if (what === undefined)
    throw new InputError('OPTION_MISSING', { name: action === 'ask' ? 'the gate' : 'the id', expected: 'bauta breakglass --help' });
  const path = `/v1/breakglasses/${encodeURIComponent(what)}`;
  if (action === 'ask') return ask(server, what, options);
  if (action === 'fetch') return fetchNote(server, path, options);
  if (action === 'show') return tell([await server.ask<Shown>('GET', path)], options);
  return tell([await server.post<Shown>(`${path}/review`, { comment: requireOption('--comment', options.comment) })], options);
}

function requireOption(name: string, value: string | undefined): string {
  if (value === undefined) throw new InputError('OPTION_MISSING', { name, expected: 'bauta breakglass --help' });
  return value;
}

/** Exit code 2: two others have to agree first. */
async function ask(server: Server, gate: string, options: BreakglassCommandOptions): Promise<number> {
  const wanted = {
    gate,
    environment: requireOption('--environment', options.environment),
    service: requireOption('--service', options.service),
    commit: requireOption('--commit', options.commit),
    reason: requireOption('--reason', options.reason),
    ...(options.for === undefined ? {} : { minutes: Math.ceil(options.for / 60_000) }),
  };
  const { approval } = await server.post<{ approval: { id: string; expiresAt: string } }>('/v1/breakglasses', wanted);
  if (wantsJson(options)) writeJson({ approval, findings: [] });
  else {
    const waits = `${paint('waits', 33, process.stdout)} until ${approval.expiresAt} for two approvers, one after the other`;
    process.stdout.write(`${waits}: bauta approvals approve ${approval.id}\n`);
  }
  return 2;
}

async function fetchNote(server: Server, path: string, options: BreakglassCommandOptions): Promise<number> {
  const { note, expiresAt } = await server.ask<{ note: string; expiresAt: string }>('GET', `${path}/note`);
  const { output } = options;
  if (output === undefined) process.stdout.write(note);
  else {
    try {
      writeFileSync(output, note, { mode: 0o600, flag: 'wx' });
    } catch {
      throw toError('OPTION_INVALID', { name: '--output', expected: 'a new file in a folder that can be written' });
    }
    if (wantsJson(options)) writeJson({ output, expiresAt, findings: [] });
    else process.stdout.write(`${output}: good until ${expiresAt}, once: bauta gate check … --breakglass ${output} --key log.pub\n`);
  }
  return 0;
}

/** Exit code 1: something is still to be handed in. */
async function handInAll(server: Server, options: BreakglassCommandOptions): Promise<number> {
  const { handedIn, failed } = await handIn(server, options);
  for (const error of failed) printError(error);
  if (wantsJson(options))
    writeJson({ handedIn: handedIn.map(({ id, use, usedAt }) => ({ id, use, usedAt })), left: failed.length, findings: [] });
  else process.stdout.write(`${handedIn.length} handed in, ${failed.length} left\n`);
  return failed.length === 0 ? 0 : 1;
}

function tell(found: readonly Shown[], options: GlobalOptions): number {
  if (wantsJson(options)) writeJson({ breakglasses: found, findings: [] });
  else {
    const rows = found.map((one) => [
      ...[one.id, one.gate, `${one.service} → ${one.environment}`, one.commit.slice(0, 12), one.state, one.expiresAt.slice(0, 16)],
      toReview(one),
    ]);
    process.stdout.write(`${toTable([['BREAK-GLASS', 'GATE', 'OF', 'COMMIT', 'STATE', 'UNTIL', 'REVIEW'], ...rows], '')}\n`);
  }
  return 0;
}

function toReview({ exception, reviewedAt, reviewUntil, usedAgain }: Shown): string {
  const again = usedAgain > 0 ? `, used ${usedAgain} more times` : '';
  if (exception) return `exception: not reviewed in time${again}`;
  if (reviewedAt !== null) return `reviewed${again}`;
  return reviewUntil === null ? '' : `until ${reviewUntil.slice(0, 16)}${again}`;
}
