// The way to a value inside a cell, for findings; keys that may be data are `*`.
import type { Hit } from './search-kernel.js';

export type Structure = 'json' | 'array' | 'xml';

export function toPath(structure: Structure | undefined, { cell, value }: Hit): string | undefined {
  if (structure === undefined || structure === 'array') return structure && '[]';
  const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
  const text = Buffer.from(cell, 'latin1')
    .toString()
    .replace(/\\(.)/gs, (_, letter: string) => letters[letter] ?? letter);
  const wanted = Buffer.from(value, 'latin1').toString();
  const holds = (one: string): boolean => {
    const small = one.toLowerCase();
    return small.includes(wanted) || small.replace(/[ -]/g, '').includes(wanted);
  };
  return structure === 'json' ? toJsonPath(text, holds) : toXmlPath(text, holds);
}

/** The first string, number or key of a JSON text. */
function toJsonPath(text: string, holds: (one: string) => boolean): string | undefined {
  const walk = (node: unknown, path: string): string | undefined => {
    if (typeof node === 'string' || typeof node === 'number') return holds(String(node)) ? path || '$' : undefined;
    if (typeof node !== 'object' || node === null) return undefined;
    for (const [key, inner] of Object.entries(node)) {
      const step = Array.isArray(node) ? `${path}[]` : `${path}${path === '' ? '' : '.'}${showKey(key)}`;
      const found = !Array.isArray(node) && holds(key) ? step : walk(inner, step);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  try {
    return walk(JSON.parse(text), '');
  } catch {
    return undefined;
  }
}

/** The first text, attribute or comment of an XML document; no parser, only tags and what stands between them. */
function toXmlPath(text: string, holds: (one: string) => boolean): string | undefined {
  const path: string[] = [];
  for (const [whole, closing, name = '', attributes = ''] of text.matchAll(/<(\/?)([^\s<>/!?]+)([^<>]*)>|<[!?][^>]*>|[^<]+/g)) {
    if (name === '') {
      if (!holds(whole)) continue;
      const kind = whole.startsWith('<!--') ? ['#comment'] : whole.startsWith('<?') ? ['#instruction'] : [];
      return [...path, ...kind].map(showKey).join('.');
    }
    if (closing) path.pop();
    else path.push(name);
    for (const [, attribute = '', quoted = ''] of attributes.matchAll(/([^\s=]+)\s*=\s*("[^"]*"|'[^']*')/g))
      if (holds(quoted)) return [...path.map(showKey), `@${showKey(attribute)}`].join('.');
    if (!closing && attributes.endsWith('/')) path.pop();
  }
  return undefined;
}

/** A key as a finding may show it: a plain word without long digits. */
function showKey(key: string): string {
  return /^#?[A-Za-z_][A-Za-z0-9_-]{0,40}$/.test(key) && !/\d{4}|(?=[a-f-]*\d)[0-9a-f-]{12}/i.test(key) ? key : '*';
}
