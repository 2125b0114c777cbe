// The slow twin of src/pipeline/mask/kernel/assembly/scan-lines.ts: byte by byte.

/** Positions of the delimiters and which fields hold a backslash; or the first row that has not this many fields. */
export function scanSlowly(text: Uint8Array, fields: number): { stops: number[]; escaped: number[] } | { malformed: number } {
  const stops: number[] = [];
  const escaped = new Array<number>(fields).fill(0);
  let field = 0;
  let row = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === 0x5c) escaped[field] = 1;
    if (text[at] !== 0x09 && text[at] !== 0x0a) continue;
    if ((text[at] === 0x0a) !== (field === fields - 1)) return { malformed: row };
    stops.push(at);
    field = text[at] === 0x0a ? 0 : field + 1;
    if (field === 0) row++;
  }
  return { stops, escaped };
}
