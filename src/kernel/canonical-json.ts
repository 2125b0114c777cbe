// Canonical JSON (RFC 8785, JCS): one value, one text, so that digests and signatures can be made anew by anyone.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * The RFC 8785 text of a JSON value. Members that are `undefined` are left out, as JSON.stringify does.
 * MUST be given JSON values only: a non-finite number or a lone surrogate throws a TypeError.
 */
export function toCanonicalJson(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('canonical JSON has no text for a number that is not finite');
    return JSON.stringify(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('canonical JSON has no text for a lone surrogate');
    return JSON.stringify(value);
  }
  if (isArray(value)) return `[${value.map(toCanonicalJson).join(',')}]`;
  const members: string[] = [];
  // RFC 8785 §3.2.3 sorts by UTF-16 code units, which is what the default sort does.
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${toCanonicalJson(key)}:${toCanonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
