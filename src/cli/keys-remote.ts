// `bauta keys --server URL`: the keys of a service's workspace. It lists what the log tells; a rotation is waited for, a destruction waits for somebody.
import { toError } from '../kernel/errors.js';
import type { Rotated } from '../pipeline/change-keys.js';
import type { KeysView } from '../pipeline/key-view.js';
import { askErrand } from './await-errand.js';
import { wantsJson } from './context.js';
import { type KeysOptions, tellKeys, tellRotated } from './keys-text.js';
import { paint, writeJson } from './print.js';
import type { Server } from './server.js';

export async function keysRemote(server: Server, action: string, options: KeysOptions): Promise<number> {
  const { environment, purpose = 'masking', reason, upTo, backups, dryRun } = options;
  if (action === 'list') {
    const query = environment === undefined ? '' : `?environment=${encodeURIComponent(environment)}`;
    const { keys } = await server.ask<{ keys: readonly KeysView[] }>('GET', `/v1/keys${query}`);
    return tellKeys(keys, [], options);
  }
  if (environment === undefined) throw toError('OPTION_MISSING', { name: '--environment', expected: 'bauta keys --help' });
  if (action === 'rotate') {
    const body = { environment, purpose, ...(reason === undefined ? {} : { reason }) };
    const { result } = await askErrand<{ rotated: Rotated }>(server, '/v1/keys/rotate', body, { seenAt: '/v1/keys/changes' });
    return tellRotated(result.rotated, options);
  }
  if (upTo === undefined) throw toError('OPTION_MISSING', { name: '--up-to', expected: 'bauta keys --help' });
  if (reason === undefined) throw toError('OPTION_MISSING', { name: '--reason', expected: 'bauta keys --help' });
  if (dryRun)
    throw toError('OPTION_INVALID', {
      name: '--dry-run',
      expected: 'not with --server: bauta keys list says what was made with a version',
    });
  const wanted = { environment, purpose, upTo, reason, ...(backups === undefined ? {} : { backups }) };
  const { approval } = await server.post<{ approval: { id: string; expiresAt: string } }>('/v1/keys/destroy', wanted);
  if (wantsJson(options)) writeJson({ approval, findings: [] });
  else {
    const waits = `${paint('waits', 33, process.stdout)} until ${approval.expiresAt} for a second person, and nothing was destroyed`;
    process.stdout.write(`${waits}: bauta approvals approve ${approval.id}\n`);
  }
  return 2;
}
