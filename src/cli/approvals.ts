// `bauta approvals`: what waits for a second person at a service, and what he says.
import { toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { toTable, writeJson } from './print.js';
import { requireServer } from './server.js';

export interface ApprovalsOptions extends GlobalOptions {
  readonly state?: string;
}

interface Approval {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly digest: string;
  readonly subject: { readonly documents?: readonly { readonly kind: string; readonly name: string; readonly version: number }[] };
  readonly environments: readonly string[];
  readonly run: string | null;
  readonly requestedBy: string | null;
  readonly expiresAt: string;
}

export async function approvals(action: string, id: string | undefined, options: ApprovalsOptions): Promise<number> {
  if (!['list', 'approve', 'refuse'].includes(action))
    throw toError('OPTION_INVALID', { name: 'the action', expected: 'list, approve or refuse' });
  const server = await requireServer(options, 'approvals');
  if (action === 'list') {
    const state = options.state === undefined ? '' : `?state=${encodeURIComponent(options.state)}`;
    return tell(await server.list<Approval>(`/v1/approvals${state}`), options);
  }
  if (id === undefined) throw toError('OPTION_MISSING', { name: 'the id of an approval', expected: 'bauta approvals --help' });
  return tell([await server.ask<Approval>('POST', `/v1/approvals/${encodeURIComponent(id)}/${action}`)], options);
}

function tell(found: readonly Approval[], options: ApprovalsOptions): number {
  if (wantsJson(options)) writeJson({ approvals: found, findings: [] });
  else {
    const rows = found.map(({ id, kind, state, subject, run, environments, requestedBy, expiresAt }) => [
      ...[id, kind, state, run ?? (subject.documents ?? []).map((one) => `${one.kind} ${one.name} ${one.version}`).join(', ')],
      ...[environments.join(', '), requestedBy ?? '', expiresAt],
    ]);
    process.stdout.write(`${toTable([['APPROVAL', 'KIND', 'STATE', 'OF', 'ENVIRONMENTS', 'ASKED BY', 'UNTIL'], ...rows], '')}\n`);
  }
  return 0;
}
