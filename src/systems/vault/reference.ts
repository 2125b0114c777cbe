// `vault:path#field`, and `vault:path` for all of its fields: the path is the one of Vault's API, mount included, so that a reference says what a
// policy of Vault says.

export interface VaultReference {
  /** `secret/data/shop`, `database/creds/shop-reader`. */
  readonly path: string;
  readonly field?: string;
}

const FORM =
  /^vault:((?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\/){1,9}[A-Za-z0-9_][A-Za-z0-9_.-]{0,99})(?:#([A-Za-z0-9_][A-Za-z0-9_.-]{0,99}))?$/;

/** What Vault itself is run by: nobody's secret, and not to be read for one. */
const own = new Set(['sys', 'auth', 'identity', 'cubbyhole']);

/** Undefined: it is none. No word begins with a dot, so that none leads elsewhere. */
export function parseVaultReference(text: string): VaultReference | undefined {
  const [, path, field] = FORM.exec(text) ?? [];
  if (path === undefined || own.has(path.slice(0, path.indexOf('/')))) return undefined;
  return { path, ...(field === undefined ? {} : { field }) };
}
