// A domain of tokens as the Environment document of now names it, and which version of its key a request means.
import { fitsSchema } from '../../documents/documents.js';
import type { Json } from '../../kernel/canonical-json.js';
import { toError } from '../../kernel/errors.js';
import { type KeysDefinition, type TokenDomainDefinition, toTokenEnvironment } from '../../pipeline/definition.js';
import { findTransform, toTokenParams } from '../../pipeline/mask/mask.js';
import type { KeyProvider } from '../../pipeline/ports.js';
import type { Transaction } from '../../systems/metadata/metadata.js';

export interface FoundDomain {
  readonly definition: TokenDomainDefinition;
  readonly params: Readonly<Record<string, Json>>;
}

/** Whose keys and entries the tokens of an environment are: as its document says now. */
export async function findTokenEnvironment({ documents }: Transaction, environment: string): Promise<string> {
  const document = await documents.find({ kind: 'Environment', name: environment });
  return toTokenEnvironment(environment, (document?.document as { readonly keys?: KeysDefinition } | undefined)?.keys);
}

const text = { display: 'text', kind: 'base', base: 'text', deterministicCollation: true } as const;

/** `isThere`: whether there is such an environment. Without a domain: it names none of this name, or one whose form nothing could be. */
export async function findDomain(
  { documents }: Transaction,
  environment: string,
  domain: string,
): Promise<{ readonly isThere: boolean; readonly found?: FoundDomain }> {
  const document = await documents.find({ kind: 'Environment', name: environment });
  const { tokens = {} } = (document?.document ?? {}) as { readonly tokens?: Readonly<Record<string, TokenDomainDefinition>> };
  const isThere = document !== undefined;
  const definition = Object.hasOwn(tokens, domain) ? tokens[domain] : undefined;
  if (!definition) return { isThere };
  const params = toTokenParams(definition);
  const token = findTransform('token');
  const fits = Object.entries(token?.params ?? {}).every(([name, { schema }]) => fitsSchema(schema, params[name] ?? null));
  return token && fits && token.misfit?.(text, params) === undefined ? { isThere, found: { definition, params } } : { isThere };
}

/**
 * What is made is made under the version that is current, unless the caller names one. What comes back comes back under the one that it was made
 * under, and a token does not say which: with one version ever made it is that one, with more the caller names it. Throws TOKEN_VERSION_AMBIGUOUS.
 */
export async function chooseVersion(keys: KeyProvider, action: 'tokenise' | 'detokenise', named: number | undefined): Promise<number> {
  if (named !== undefined) return named;
  if (action === 'tokenise') return keys.currentVersion();
  const versions = await keys.versions();
  const [only] = versions;
  if (only && versions.length === 1) return only.version;
  throw toError('TOKEN_VERSION_AMBIGUOUS', {
    expected: versions.length === 0 ? 'there is none yet' : versions.map(({ version }) => version).join(', '),
  });
}
