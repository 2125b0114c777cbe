// `bauta approvals`: what waits for a second person at a service, and what he says.
import { toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { toTable, writeJson } from './print.js';
import { requireServer } from './server.js';

export interface ApprovalsOptions extends GlobalOptions {
  readonly state?: string;
}

/** What each kind of approval is of, as far as a line says it; all of it is in the JSON. */
interface Subject {
  readonly documents?: readonly { readonly kind: string; readonly name: string; readonly version: number }[];
  /** A waiver. */
  readonly rule?: string;
  readonly scopeKind?: string | null;
  readonly scope?: string | null;
  /** The end of a hold. */
  readonly target?: string;
  readonly version?: number;
  /** The end of keys. */
  readonly purpose?: string;
  readonly upTo?: number;
  /** Roles, or an API key. */
  readonly person?: string;
  readonly roles?: readonly string[];
  readonly until?: string;
}

interface Approval {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly digest: string;
  readonly subject: Subject;
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
      ...[id, kind, state, run ?? toSubjectText(subject)],
      ...[environments.join(', '), requestedBy ?? '', expiresAt],
    ]);
    process.stdout.write(`${toTable([['APPROVAL', 'KIND', 'STATE', 'OF', 'ENVIRONMENTS', 'ASKED BY', 'UNTIL'], ...rows], '')}\n`);
  }
  return 0;
}

function toSubjectText(subject: Subject): string {
  const { documents = [], rule, scopeKind, scope, target, version, purpose, upTo, person, roles = [], until } = subject;
  if (rule !== undefined) return `${rule} ${scopeKind ? `in ${scopeKind} ${scope ?? ''}` : 'everywhere'} until ${until ?? ''}`;
  if (purpose !== undefined) return `${purpose} keys up to version ${upTo ?? ''}`;
  if (target !== undefined) return `${target}, version ${version ?? ''}`;
  if (person !== undefined) return [person, ...(roles.length > 0 ? [`as ${roles.join(', ')}`] : [])].join(' ');
  return documents.map((one) => `${one.kind} ${one.name} ${one.version}`).join(', ');
}
