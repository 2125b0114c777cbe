// Which logins may be rotated, by the Connection's document: whether two roles stand in that secret, only a worker can see.
import { parseVaultReference } from '../../systems/vault/vault.js';

export function isRotatable(document: object): boolean {
  const { credentials = '' } = document as { readonly credentials?: string };
  const named = parseVaultReference(credentials);
  return named !== undefined && named.field === undefined;
}
