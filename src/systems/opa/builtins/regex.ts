// regex.* on an engine that takes time in proportion to the text (npm re2js), so that no pattern can hold the thread for long.
import { RE2JS } from 're2js';

import type { Value } from '../value.js';
import type { Family } from './builtin.js';
import { globsIntersect } from './glob-intersection.js';
import { attempt, integerOf, textOf, unfit } from './operand.js';

const compiled = new Map<string, RE2JS>();
const maxCompiled = 100;

/** Patterns are few and used often. */
export function compilePattern(pattern: string): RE2JS {
  let regex = compiled.get(pattern);
  if (regex === undefined) {
    regex = attempt(() => RE2JS.compile(pattern));
    if (compiled.size >= maxCompiled) compiled.clear();
    compiled.set(pattern, regex);
  }
  return regex;
}

interface Match {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | null)[];
}

/** At most `limit` matches (all below zero). As in Go, an empty match right after a match does not count. */
function findAll(regex: RE2JS, text: string, limit: number): Match[] {
  const matcher = regex.matcher(text);
  const found: Match[] = [];
  let lastEnd = -1;
  for (let at = 0; at <= text.length && found.length !== limit && matcher.find(at);) {
    const [start, end] = [matcher.start(), matcher.end()];
    const isEmptyAfterMatch = start === end && start === lastEnd;
    if (!isEmptyAfterMatch)
      found.push({ start, end, groups: Array.from({ length: matcher.groupCount() + 1 }, (_, n) => matcher.group(n)) });
    lastEnd = end;
    at = end > at ? end : at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
  }
  return found;
}

function split(regex: RE2JS, text: string): string[] {
  if (text === '' && regex.pattern() !== '') return [''];
  const parts: string[] = [];
  let from = 0;
  let end = 0;
  for (const match of findAll(regex, text, -1)) {
    if (match.end === 0) continue;
    end = match.start;
    parts.push(text.slice(from, end));
    from = match.end;
  }
  if (end !== text.length) parts.push(text.slice(from));
  return parts;
}

/** $1, ${1}, $name and ${name} as in Go; a group that there is not is empty. */
function expand(template: string, match: Match, names: Readonly<Record<string, number>>): string {
  return template.replace(
    /\$(?:(\$)|(\w+)|\{(\w+)\})/g,
    (_, dollar: string | undefined, bare: string | undefined, braced: string | undefined) => {
      if (dollar !== undefined) return '$';
      const name = bare ?? braced ?? '';
      return match.groups[/^\d+$/.test(name) ? Number(name) : (names[name] ?? -1)] ?? '';
    },
  );
}

function replace(text: string, regex: RE2JS, template: string): string {
  const names = regex.namedGroups() as Readonly<Record<string, number>>;
  let from = 0;
  let out = '';
  for (const match of findAll(regex, text, -1)) {
    out += text.slice(from, match.start) + expand(template, match, names);
    from = match.end;
  }
  return out + text.slice(from);
}

/** A pattern whose parts between the delimiters are regular expressions and whose rest is literal. */
function toTemplatePattern(template: string, open: string, close: string): string {
  let pattern = '^';
  let depth = 0;
  let from = 0;
  for (const [at, char] of [...template].entries()) {
    if (char === open && ++depth === 1) {
      pattern += RE2JS.quote(template.slice(from, at));
      from = at + 1;
    } else if (char === close && --depth === 0) {
      const part = template.slice(from, at);
      compilePattern(`^${part}$`);
      pattern += `(${part})`;
      from = at + 1;
    }
    if (depth < 0) return unfit();
  }
  return depth === 0 ? `${pattern}${RE2JS.quote(template.slice(from))}$` : unfit();
}

function matchTemplate([template, text, open, close]: readonly Value[]): boolean {
  const [start, end] = [textOf(open), textOf(close)];
  if (Buffer.byteLength(start) !== 1 || Buffer.byteLength(end) !== 1) return unfit();
  return compilePattern(toTemplatePattern(textOf(template), start, end))
    .matcher(textOf(text))
    .find();
}

export const regexBuiltins: Family = {
  'regex.find_n': ([pattern, text, limit]) =>
    findAll(compilePattern(textOf(pattern)), textOf(text), integerOf(limit)).map(({ groups }) => groups[0] ?? ''),
  'regex.globs_match': ([a, b]) => globsIntersect(textOf(a), textOf(b)),
  'regex.replace': ([text, pattern, template]) => replace(textOf(text), compilePattern(textOf(pattern)), textOf(template)),
  'regex.split': ([pattern, text]) => split(compilePattern(textOf(pattern)), textOf(text)),
  'regex.template_match': matchTemplate,
};
