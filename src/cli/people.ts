// `bauta people`: who may do what at a service, and the API keys by which it knows them.
import { InputError, toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { toTable, writeJson } from './print.js';
import { requireServer } from './server.js';

export interface PeopleOptions extends GlobalOptions {
  /** Comma-separated: `requester@dev,viewer`. */
  readonly roles?: string;
  /** Of a service account. */
  readonly owner?: string;
}

interface Person {
  readonly name: string;
  readonly roles: readonly string[];
  readonly owner: string | null;
  readonly erasedAt: string | null;
  readonly approval?: { readonly id: string };
}

const actions = ['list', 'add', 'grant'];

/** Exit code 2: it waits for another administrator. */
export async function people(action: string, name: string | undefined, options: PeopleOptions): Promise<number> {
  if (!actions.includes(action)) throw toError('OPTION_INVALID', { name: 'the action', expected: 'list, add or grant' });
  const server = await requireServer(options, 'people');
  if (action === 'list') return tell(await server.list<Person>('/v1/people'), options);
  if (name === undefined) throw new InputError('OPTION_MISSING', { name: 'the name of a person', expected: 'bauta people --help' });
  if (options.roles === undefined) throw new InputError('OPTION_MISSING', { name: '--roles', expected: 'bauta people --help' });
  const roles = options.roles.split(',').flatMap((role) => role.trim() || []);
  if (action === 'add') {
    const owner = options.owner === undefined ? {} : { owner: options.owner };
    return tell([await server.post<Person>('/v1/people', { name, roles, ...owner })], options);
  }
  const path = `/v1/people/${encodeURIComponent(name)}/roles`;
  const headers = { 'Content-Type': 'application/json' };
  return tell([await server.ask<Person>('PUT', path, { headers, body: JSON.stringify({ roles }) })], options);
}

function tell(found: readonly Person[], options: GlobalOptions): number {
  const waiting = found.flatMap(({ name, approval }) => (approval ? [{ name, id: approval.id }] : []));
  if (wantsJson(options)) writeJson({ people: found, findings: [] });
  else {
    const rows = found.map(({ name, roles, owner }) => [name, roles.join(', '), owner ?? '']);
    process.stdout.write(`${toTable([['PERSON', 'ROLES', 'OWNER'], ...rows], '')}\n`);
    for (const { id } of waiting) process.stderr.write(`waits for another administrator: bauta approvals approve ${id}\n`);
  }
  return waiting.length > 0 ? 2 : 0;
}
