// What a request brings, parsed: bodies by the documents' parser, names, ids and pages.
import type { Json } from '../../kernel/canonical-json.js';
import { toError } from '../../kernel/errors.js';
import { type Schema, parseBody } from '../../documents/documents.js';

export const nameSchema: Schema = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$',
  description: 'a name of letters, digits, dot, dash and underscore',
};

/** The name of an environment, as part of a pattern. */
export const environmentPattern = '[A-Za-z0-9][A-Za-z0-9._-]{0,62}';

/** Throws REQUEST_INVALID with every finding. MUST be given a schema that says everything the caller then casts to. */
export function parseRequest<T extends Json>(body: unknown, schema: Schema): T {
  if (typeof body !== 'string') throw toError('REQUEST_TYPE_UNSUPPORTED', { expected: 'application/json' });
  const { value, findings } = parseBody(body, schema);
  const [first] = findings;
  if (first) throw toError(first.code === 'DOCUMENT_SYNTAX' ? 'DOCUMENT_SYNTAX' : 'REQUEST_REFUSED', first.where, findings);
  return value as T;
}

/** What cannot be a name is no name of anything: 404, as for one that is not there. */
export function requireName(text: string, type: string): string {
  if (!new RegExp(nameSchema['pattern'] as string).test(text)) throw toError('RESOURCE_UNKNOWN', { type });
  return text;
}

export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

export function requireUuid(text: string, type: string): string {
  if (!isUuid(text)) throw toError('RESOURCE_UNKNOWN', { type });
  return text;
}

/** Query parameters of every list. */
export const pageSchema: Readonly<Record<string, Schema>> = {
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50, description: 'how many at most' },
  cursor: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,400}$', description: '`next` of the page before' },
};

export interface Page {
  readonly limit: number;
  readonly after?: string;
}

/** `isKey`: what the last item of a page may be called. Throws REQUEST_INVALID. */
export function readPage(query: Readonly<Record<string, unknown>>, isKey: (text: string) => boolean = () => true): Page {
  const { limit = '50', cursor } = query;
  if (typeof limit !== 'string' || !/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 200)
    throw toError('REQUEST_INVALID', { name: 'limit', expected: 'a number from 1 to 200' });
  if (cursor === undefined) return { limit: Number(limit) };
  const after =
    typeof cursor === 'string' && /^[A-Za-z0-9_-]{1,400}$/.test(cursor) ? Buffer.from(cursor, 'base64url').toString('utf8') : '';
  if (after === '' || after.includes('\0') || after.includes('\ufffd') || !isKey(after))
    throw toError('REQUEST_INVALID', { name: 'cursor', expected: '`next` of the page before' });
  return { limit: Number(limit), after };
}

/** MUST be given what was read with `limit` rows: a full page may have one after it. */
export function toPage<T>(
  items: readonly T[],
  limit: number,
  keyOf: (item: T) => string,
): { readonly items: readonly T[]; readonly next: string | null } {
  const last = items.at(-1);
  return { items, next: items.length === limit && last !== undefined ? Buffer.from(keyOf(last)).toString('base64url') : null };
}
