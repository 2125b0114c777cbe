// How a process proves to Vault who it is: by a token, by AppRole, or by the token of its Kubernetes service account.
import type { Settings } from '../../config/settings.js';
import { toError } from '../../kernel/errors.js';

export type VaultSettings = Pick<
  Settings,
  | 'BAUTA_VAULT'
  | 'BAUTA_VAULT_CA'
  | 'BAUTA_VAULT_NAMESPACE'
  | 'BAUTA_VAULT_AUTH'
  | 'BAUTA_VAULT_AUTH_MOUNT'
  | 'BAUTA_VAULT_TOKEN'
  | 'BAUTA_VAULT_ROLE_ID'
  | 'BAUTA_VAULT_SECRET_ID'
  | 'BAUTA_VAULT_ROLE'
  | 'BAUTA_VAULT_JWT'
  | 'BAUTA_VAULT_TRANSIT'
  | 'BAUTA_VAULT_WAIT_MS'
>;

/** Gives the text behind `env:NAME` or `file:PATH` of the operator. */
export type ReadOwn = (reference: string) => Promise<string | undefined>;

/** A token that was given as it is, or what is written where to get one. */
export type Login = { readonly token: string } | { readonly path: string; readonly body: Readonly<Record<string, string>> };

/** Read anew each time: an agent or Kubernetes replaces what stands in a file. Throws VAULT_LOGIN_UNSET. */
export async function readLogin(settings: VaultSettings, readOwn: ReadOwn): Promise<Login> {
  const read = async (name: keyof VaultSettings): Promise<string> => {
    const reference = String(settings[name]);
    const text = reference === '' ? undefined : (await readOwn(reference))?.trim();
    if (!text) throw toError('VAULT_LOGIN_UNSET', { name });
    return text;
  };
  const { BAUTA_VAULT_AUTH: method, BAUTA_VAULT_AUTH_MOUNT: mount } = settings;
  if (method === 'token') return { token: await read('BAUTA_VAULT_TOKEN') };
  const path = `auth/${mount === '' ? method : mount}/login`;
  if (method === 'approle')
    return { path, body: { role_id: await read('BAUTA_VAULT_ROLE_ID'), secret_id: await read('BAUTA_VAULT_SECRET_ID') } };
  const { BAUTA_VAULT_ROLE: role } = settings;
  if (role === '') throw toError('VAULT_LOGIN_UNSET', { name: 'BAUTA_VAULT_ROLE' });
  return { path, body: { role, jwt: await read('BAUTA_VAULT_JWT') } };
}
