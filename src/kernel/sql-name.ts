// Names as SQL writes them in a document: `public.customer`, `"Mixed Case".table`; unquoted parts fold to lower case as in Postgres.

interface NamePart {
  readonly text: string;
  /** Unquoted, so that `*` in it is a wildcard and not a character. */
  readonly open: boolean;
}

const PLAIN = /^[\p{Ll}_][\p{Ll}\p{N}_$]*$/u;
const UNQUOTED = /^[\p{L}_*][\p{L}\p{N}_$*]*$/u;

/** The parts of a dotted name, or undefined when it is not one. A `*` outside quotes is refused: that is a pattern. */
export function parseSqlName(text: string): readonly string[] | undefined {
  const parts = splitName(text);
  if (parts === undefined || parts.some((part) => part.open && part.text.includes('*'))) return undefined;
  return parts.map((part) => part.text);
}

/**
 * The one text of a name in documents, messages and locks: each part quoted only where it must be. Two names are the same when these texts are.
 * Not for statements: reserved words stand in it as they are.
 */
export function toSqlName(...parts: readonly string[]): string {
  return parts.map((part) => (PLAIN.test(part) ? part : `"${part.replaceAll('"', '""')}"`)).join('.');
}

/**
 * A pattern over dotted names in which `*` (outside quotes) stands for any characters, dots included: `*.created_at`, `public.*`.
 * Undefined when the text is neither a name nor a pattern.
 */
export function parseNamePattern(pattern: string): NamePattern | undefined {
  const parts = splitName(pattern);
  if (parts === undefined) return undefined;
  if (!parts.some((part) => part.open && part.text.includes('*'))) {
    const exact = toSqlName(...parts.map((part) => part.text));
    return { wild: false, matches: (...name) => toSqlName(...name) === exact };
  }
  // NUL stands for the wildcard here: no name can hold one.
  const segments = parts
    .map((part) => (part.open ? part.text.replaceAll('*', '\0') : part.text))
    .join('.')
    .split('\0');
  return { wild: true, matches: (...name) => matchSegments(segments, name.join('.')) };
}

export interface NamePattern {
  /** True when it holds a wildcard, so that it may match what nobody has seen yet. */
  readonly wild: boolean;
  matches(...name: readonly string[]): boolean;
}

/** Literal segments with anything between them; linear, so that no pattern can hold the process up. */
function matchSegments(segments: readonly string[], name: string): boolean {
  const [first = '', ...rest] = segments;
  const last = rest.at(-1) ?? '';
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false;
  let at = first.length;
  for (const segment of rest.slice(0, -1)) {
    const found = name.indexOf(segment, at);
    if (found < 0) return false;
    at = found + segment.length;
  }
  return at <= name.length - last.length;
}

function splitName(text: string): readonly NamePart[] | undefined {
  const parts: NamePart[] = [];
  let at = 0;
  for (;;) {
    const quoted = /^"((?:[^"\0]|"")+)"/.exec(text.slice(at));
    const plain = quoted ? null : /^[^."\s]+/.exec(text.slice(at));
    if (quoted) parts.push({ text: (quoted[1] ?? '').replaceAll('""', '"'), open: false });
    else if (plain && UNQUOTED.test(plain[0]))
      parts.push({ text: plain[0].replace(/[A-Z]+/g, (letters) => letters.toLowerCase()), open: true });
    else return undefined;
    at += (quoted ?? plain)?.[0].length ?? 0;
    if (at === text.length) return parts;
    if (text[at] !== '.') return undefined;
    at += 1;
  }
}
