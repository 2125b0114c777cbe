// `bauta apikeys`: made, listed and revoked at a service. A key is shown once, alone on stdout, so that it can go where it is needed unseen.
import { InputError, toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { toTable, writeJson } from './print.js';
import { type Server, requireServer } from './server.js';

export interface ApiKeysOptions extends GlobalOptions {
  /** What the key is called; default: `command line`. */
  readonly name?: string;
  readonly days?: number;
}

interface Key {
  readonly id: string;
  readonly person: string;
  readonly name: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
}

type Made = { readonly id: string; readonly person: string; readonly name: string; readonly expiresAt: string; readonly token: string };

export async function apiKeys(action: string, of: string | undefined, options: ApiKeysOptions): Promise<number> {
  if (!['list', 'make', 'revoke'].includes(action))
    throw toError('OPTION_INVALID', { name: 'the action', expected: 'list, make or revoke' });
  const server = await requireServer(options, 'apikeys');
  if (action === 'list') return tell(await server.list<Key>('/v1/apikeys'), options);
  if (of === undefined) {
    const name = action === 'make' ? 'the name of a person' : 'the id of a key';
    throw new InputError('OPTION_MISSING', { name, expected: 'bauta apikeys --help' });
  }
  if (action === 'make') return make(server, of, options);
  await server.ask('DELETE', `/v1/apikeys/${encodeURIComponent(of)}`);
  if (wantsJson(options)) writeJson({ revoked: of, findings: [] });
  return 0;
}

/** Exit code 2: another administrator has to agree first. */
async function make(server: Server, person: string, options: ApiKeysOptions): Promise<number> {
  const { name = 'command-line', days } = options;
  const wanted = { person, name, ...(days === undefined ? {} : { expiresInDays: days }) };
  const answer = await server.post<Made | { readonly approval: { readonly id: string } }>('/v1/apikeys', wanted);
  if ('approval' in answer) {
    if (wantsJson(options)) writeJson({ approval: answer.approval.id, findings: [] });
    process.stderr.write(`waits for another administrator: bauta approvals approve ${answer.approval.id}; then ask again\n`);
    return 2;
  }
  if (wantsJson(options)) writeJson({ key: answer, findings: [] });
  else {
    process.stderr.write(`a key of ${person}, until ${answer.expiresAt}; shown this once\n`);
    process.stdout.write(`${answer.token}\n`);
  }
  return 0;
}

function tell(keys: readonly Key[], options: GlobalOptions): number {
  if (wantsJson(options)) writeJson({ keys, findings: [] });
  else {
    const rows = keys.map(({ id, person, name, expiresAt, revokedAt }) => [id, person, name, expiresAt, revokedAt ?? '']);
    process.stdout.write(`${toTable([['KEY', 'PERSON', 'NAME', 'UNTIL', 'REVOKED'], ...rows], '')}\n`);
  }
  return 0;
}
