// SQL that people write as a part of a statement of ours: whether it stays that part, and which words it has. Read as the server's lexer reads it
// with standard_conforming_strings on; nothing of it is executed here.

export interface SqlText {
  /** Words outside quotes and comments, in lower case, and quoted names as they are. */
  readonly words: readonly string[];
  /** Why it is not one expression; absent: it is, or the server will say. */
  readonly problem?: string;
}

const word = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const dollar = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;

/** Quotes and comments are closed in it, parentheses balance and never go below its own level, and it is not two statements. */
export function readSqlText(text: string): SqlText {
  const words: string[] = [];
  let depth = 0;
  let at = 0;
  const fail = (problem: string): SqlText => ({ words, problem });
  if (text.includes('\0')) return fail('a NUL');
  while (at < text.length) {
    const skipped = skipQuoted(text, at, words);
    if (skipped === undefined) return fail('a quote or a comment that does not end');
    if (skipped > at) {
      at = skipped;
      continue;
    }
    const found = match(word, text, at);
    if (found !== undefined) words.push(found.toLowerCase());
    const character = text[at] ?? '';
    if ('([{'.includes(character)) depth++;
    if (')]}'.includes(character) && --depth < 0) return fail('parentheses that do not balance');
    if (character === ';') return fail('a semicolon');
    at += found?.length ?? 1;
  }
  if (depth > 0) return fail('parentheses that do not balance');
  return words.length === 0 && text.trim() === '' ? fail('nothing') : { words };
}

/** Where the quoted text or comment that begins here ends; `at` itself where none begins; undefined where it never ends. */
function skipQuoted(text: string, at: number, words: string[]): number | undefined {
  if (text.startsWith('--', at)) return (text + '\n').indexOf('\n', at);
  if (text.startsWith('/*', at)) return skipComment(text, at);
  const tag = isInWord(text, at) ? undefined : match(dollar, text, at);
  if (tag !== undefined) return toEnd(text, tag, at + tag.length);
  if (text[at] === '"') {
    const end = skipDoubled(text, at, '"');
    if (end !== undefined) words.push(text.slice(at + 1, end - 1).replaceAll('""', '"'));
    return end;
  }
  if (/e/i.test(text[at] ?? '') && text[at + 1] === "'" && !isInWord(text, at)) return skipEscaped(text, at + 2);
  return text[at] === "'" ? skipDoubled(text, at, "'") : at;
}

function toEnd(text: string, mark: string, from: number): number | undefined {
  const end = text.indexOf(mark, from);
  return end < 0 ? undefined : end + mark.length;
}

/** Comments nest. */
function skipComment(text: string, at: number): number | undefined {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text.startsWith('/*', i)) [depth, i] = [depth + 1, i + 1];
    else if (text.startsWith('*/', i)) {
      [depth, i] = [depth - 1, i + 1];
      if (depth === 0) return i + 1;
    }
  }
  return undefined;
}

function skipDoubled(text: string, at: number, quote: string): number | undefined {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] !== quote) continue;
    if (text[i + 1] !== quote) return i + 1;
    i++;
  }
  return undefined;
}

/** `E'…'`: a backslash takes the next character with it. */
function skipEscaped(text: string, at: number): number | undefined {
  for (let i = at; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === "'") {
      if (text[i + 1] !== "'") return i + 1;
      i++;
    }
  }
  return undefined;
}

function isInWord(text: string, at: number): boolean {
  return at > 0 && /[\p{L}\p{N}_$]/u.test(text[at - 1] ?? '');
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
