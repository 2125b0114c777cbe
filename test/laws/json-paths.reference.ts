// The slow twin of the JSON walker: real objects, and the server's way of printing them.

type Masking = (text: string) => string;

/** A path from here on; the leaves of a kept one stay as they are. */
interface Listed {
  readonly keys: readonly string[];
  readonly kept: boolean;
}

/** Drops or keeps what no path names; masks the leaves that a path names, unless it is among those that are kept. Paths are as in the classification. */
export function maskJson(
  value: unknown,
  paths: readonly string[],
  rest: 'drop' | 'keep',
  mask: Masking,
  kept: readonly string[] = [],
): unknown {
  const toKeys = (path: string): string[] => (path.match(/\[\]|"(?:[^"\\]|\\.)*"|[^.[\]"]+/g) ?? []).map(toKey);
  const listed = paths.map((path) => ({ keys: toKeys(path), kept: kept.includes(path) }));
  const result = visit(value, listed, rest, mask);
  return result === dropped ? null : result;
}

const dropped = Symbol('dropped');

function toKey(part: string): string {
  return part.startsWith('"') ? `.${JSON.parse(part) as string}` : part === '[]' ? part : `.${part}`;
}

function visit(value: unknown, paths: readonly Listed[], rest: 'drop' | 'keep', mask: Masking): unknown {
  const other = rest === 'keep' ? value : dropped;
  if (paths.length === 0) return other;
  if (value === null) return null;
  const here = paths.find(({ keys }) => keys.length === 0);
  if (typeof value !== 'object') return here ? (here.kept ? value : mask(toText(value as Scalar))) : other;
  const below = (key: string): Listed[] =>
    paths.filter(({ keys: [first] }) => first === key).map((path) => ({ ...path, keys: path.keys.slice(1) }));
  const array = Array.isArray(value);
  const size = Object.keys(value).length;
  const enters = paths.some(({ keys: [first] }) => first !== undefined && (first === '[]') === array);
  if (size > 0 && !enters) return other;
  if (array) return (value as unknown[]).map((element) => visit(element, below('[]'), rest, mask)).filter((element) => element !== dropped);
  const members = Object.entries(value).map(([key, member]) => [key, visit(member, below(`.${key}`), rest, mask)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== dropped));
}

type Scalar = string | number | boolean;

function toText(value: Scalar): string {
  return String(value);
}

/** Text as jsonb prints it, members in the order given. */
export function formatJsonb(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(formatJsonb).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${formatJsonb(member)}`);
  return `{${members.join(', ')}}`;
}
