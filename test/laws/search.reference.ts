// What the search kernel finds, said plainly: text as strings, a set of originals, every place looked at. Of one tag, whose originals all lie
// outside the output space.

/** A letter or digit; everything beyond ASCII but punctuation, spaces, symbols and emoji counts as one. */
function isWord(sign: string | undefined): boolean {
  if (sign === undefined) return false;
  const code = sign.codePointAt(0) as number;
  if (code < 0x80) return /[0-9a-z]/.test(sign);
  if (code < 0xc0) return [0xaa, 0xb5, 0xba].includes(code);
  if (code === 0xd7 || code === 0xf7) return false;
  return !(code >= 0x2000 && code < 0x2c00) && !(code >= 0x3000 && code < 0x3040) && !(code >= 0x1f000 && code < 0x20000);
}

/** Small letters where they have as many bytes; capitals do not tell ς from σ. */
export function toSmall(text: string): string {
  const toSign = (sign: string): string => {
    const [small = ''] = sign.toLowerCase();
    if (sign === 'ς') return 'σ';
    return sign.toLowerCase() === small && Buffer.byteLength(small) === Buffer.byteLength(sign) ? small : sign;
  };
  return text.replace(/\p{L}|\p{N}|\p{So}/gu, toSign);
}

/** A letter of a script without capitals: it and an ASCII letter are two words. */
function isApart(sign: string | undefined): boolean {
  return sign !== undefined && /(?![ªº])\p{Lo}|(?=\p{Lm})[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(sign);
}

const isAscii = (sign: string | undefined): boolean => sign !== undefined && sign < '\u0080';

/** One layer of backslashes less, as COPY and JSON write them. */
function unescape(text: string): string {
  const letters: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
  return text.replace(/\\(u[0-9a-f]{4}|[^])/gu, (_, rest: string) =>
    rest.length === 5 ? toSmall(String.fromCodePoint(parseInt(rest.slice(1), 16))) : (letters[rest] ?? rest),
  );
}

/** The cell, and what it is without one to four layers of backslashes. */
function toLayers(field: string): readonly string[] {
  const layers = [toSmall(field)];
  for (let i = 0; i < 4 && layers.at(-1)?.includes('\\'); i++) layers.push(unescape(layers.at(-1) as string));
  return layers.length === 1 ? layers : layers.slice(1);
}

type Sought = { readonly kind: 'digits' | 'token' | 'cell'; readonly text: string };

/** As what an original is looked for. */
export function toSought(field: string): Sought | undefined {
  const whole = toLayers(field)[0] as string;
  if (whole === '') return undefined;
  const signs = [...whole];
  while (signs.length > 0 && !isWord(signs[0])) signs.shift();
  while (signs.length > 0 && !((signs.at(-1) as string) > '\u007f' || isWord(signs.at(-1)))) signs.pop();
  const text = signs.join('');
  const digits = text.replace(/[^0-9]/g, '').length;
  const letters = signs.filter((sign) => /[a-z]/.test(sign) || sign > '\u007f').length;
  const others = signs.length - digits - letters;
  if (Buffer.byteLength(text) < 6) return { kind: 'cell', text: whole };
  if (/^[0-9]+([ -][0-9]+)*$/.test(text) && digits >= 9 && digits <= 19) return { kind: 'digits', text: text.replace(/[ -]/g, '') };
  const isTold = /@|[^]\/\//.test(text) || (letters === 0 ? digits >= 6 && others > 0 : digits >= 6 || (Buffer.byteLength(text) >= 12 && digits > 0)); // prettier-ignore
  return isTold ? { kind: 'token', text: Buffer.from(text).subarray(0, 63).toString('latin1') } : { kind: 'cell', text: whole };
}

/** Where a word may begin, and numbers of several groups: what stands in `text` as an original would. */
function holds(text: string, { kind, text: wanted }: Sought): boolean {
  const signs = [...text];
  const starts = signs.map((sign, i) => isWord(sign) && (!isWord(signs[i - 1]) || (isAscii(sign) && isApart(signs[i - 1]))));
  if (kind === 'digits') {
    return signs.some((_, i) => {
      if (!starts[i]) return false;
      const [number = ''] = /^[0-9]+(?:[ -][0-9]+)*/.exec(signs.slice(i).join('')) ?? [];
      // From here on, group by group, until it is as long; what follows is no letter.
      const groups = number.split(/[ -]/);
      let at = i;
      for (let count = 1, joined = ''; count <= groups.length; count++) {
        joined += groups[count - 1] as string;
        at += (groups[count - 1] as string).length + (count > 1 ? 1 : 0);
        if (isWord(signs[at]) && !isApart(signs[at])) return false;
        if (joined === wanted) return true;
      }
      return false;
    });
  }
  return signs.some((_, i) => {
    const rest = Buffer.from(signs.slice(i).join('')).toString('latin1');
    if (!starts[i] || !rest.startsWith(wanted)) return false;
    const [next] = [...Buffer.from(rest.slice(wanted.length), 'latin1').toString()];
    return wanted.length === 63 || !isWord(next) || (isAscii(wanted.at(-1)) && isApart(next));
  });
}

/** Rows of the output (from 0) in whose cell one of the originals stands inside text; both as COPY wrote them. */
export function searchSlowly(originals: readonly string[], output: readonly string[]): readonly number[] {
  const sought = originals.flatMap((field) => (field === '\\N' ? [] : (toSought(field) ?? [])));
  return output.flatMap((field, row) => {
    if (field === '\\N') return [];
    return toLayers(field).some((text) => sought.some((one) => one.kind !== 'cell' && holds(text, one))) ? [row] : [];
  });
}
