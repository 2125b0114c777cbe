// The slow twin of split and join: COPY text to strings and back, one character at a time, written from the PostgreSQL manual alone.

const letters: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Fields as they stand on the line; null for `\N`. */
export function parseLines(text: string): (string | null)[][] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t').map((field) => (field === '\\N' ? null : unescapeField(field))));
}

export function formatLines(rows: readonly (readonly (string | null)[])[]): string {
  return rows.map((row) => `${row.map((field) => (field === null ? '\\N' : escapeField(field))).join('\t')}\n`).join('');
}

function unescapeField(field: string): string {
  return field.replace(/\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))/gs, (_, octal?: string, hex?: string, letter?: string) => {
    if (octal) return String.fromCharCode(parseInt(octal, 8) & 255);
    if (hex) return String.fromCharCode(parseInt(hex, 16));
    return letters[letter as string] ?? (letter as string);
  });
}

const names = new Map(Object.entries(letters).map(([letter, character]) => [character, letter]));

function escapeField(field: string): string {
  return field.replace(/[\\\b\f\n\r\t\v]/g, (character) => `\\${names.get(character) ?? character}`);
}
