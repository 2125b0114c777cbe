// The one place where a name or a text becomes part of a statement. Everything else is a bound parameter.

/** `"name"` with quotes doubled. Always quoted: no reserved word, case or search path can change what it means. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `"schema"."name"`. */
export function quoteQualified(object: { readonly schema: string; readonly name: string }): string {
  return `${quoteName(object.schema)}.${quoteName(object.name)}`;
}

/** A literal for statements that take no parameters (COMMENT, CREATE ROLE … PASSWORD, SET). Never for a value of a row. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
