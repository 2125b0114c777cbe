// A text in quotes as Go's strconv.Quote writes it.
const named: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

function escape(char: string): string {
  const point = char.codePointAt(0) ?? 0;
  const known = named[char];
  if (known !== undefined) return known;
  if (point < 0x20 || point === 0x7f) return `\\x${point.toString(16).padStart(2, '0')}`;
  return point > 0xffff ? `\\U${point.toString(16).padStart(8, '0')}` : `\\u${point.toString(16).padStart(4, '0')}`;
}

export function quoteText(text: string): string {
  // What Go does not print as it is: separators but the plain space, controls, formats, surrogates, private and unassigned.
  return `"${text.replace(/["\\]|[^\P{Z} ]|\p{C}/gu, escape)}"`;
}
