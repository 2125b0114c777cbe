// Paths inside a value: `contact.email`, `items[].name`, `"odd.key"[]`. A key that holds a dot, a bracket or a quote is written as a JSON string.

/** A key, or null for any element of an array. */
export type Segment = string | null;

/** A key as an error may show it. */
export type ShowKey = (key: string) => string;

const plainKey = /^[A-Za-z_][A-Za-z0-9_-]{0,40}$/;
/** Looks of data in a key: long runs of digits, or of hexadecimal digits with a digit among them. */
const dataLook = /\d{4}|(?=[a-f-]*\d)[0-9a-f-]{12}/i;

/** The key, or `*` where it could be somebody's data. Conservative: a plain word without long digits. */
export function showPlainKey(key: string): string {
  return plainKey.test(key) && !dataLook.test(key) ? key : '*';
}

/** A name of XML: what marks an attribute, comment or instruction stands, and prefix and name are shown each for itself. */
export function showXmlName(name: string, showKey: ShowKey): string {
  const [, mark = '', rest = ''] = /^([@#]?)(.*)$/s.exec(name) ?? [];
  return mark + rest.split(':').map(showKey).join(':');
}

/** The segments of a path, or undefined where it is none. The empty path and `$` are the value itself. */
export function parsePath(path: string): Segment[] | undefined {
  const segments: Segment[] = [];
  let rest = path === '$' ? '' : path.replace(/^\$(?=[.[])\.?/, '');
  while (rest !== '') {
    const found = /^(?:(\[\])|("(?:[^"\\]|\\.)*")|([^.["\]]+))(\.(?=.))?/.exec(rest);
    if (!found) return undefined;
    const [text, element, quoted, key, dot] = found;
    const next = rest.slice(text.length);
    // After a key comes a dot, a bracket or the end.
    if (dot === undefined && next !== '' && !next.startsWith('[')) return undefined;
    if (element) segments.push(null);
    else if (quoted) {
      const parsed = parseQuoted(quoted);
      if (parsed === undefined) return undefined;
      segments.push(parsed);
    } else segments.push(key as string);
    rest = next;
  }
  return segments;
}

function parseQuoted(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}

export function formatPath(segments: readonly Segment[]): string {
  let path = '';
  for (const segment of segments) {
    if (segment === null) path += '[]';
    else path += `${path === '' ? '' : '.'}${/^[^.["\]]+$/.test(segment) && segment !== '$' ? segment : JSON.stringify(segment)}`;
  }
  return path;
}

/** A path for an error: keys that may be data are `*`. */
export function showPath(segments: readonly Segment[], showKey: ShowKey): string {
  return segments.map((segment, i) => (segment === null ? '[]' : `${i === 0 ? '' : '.'}${showKey(segment)}`)).join('') || '$';
}
