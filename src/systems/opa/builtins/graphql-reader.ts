// Tokens of GraphQL (October 2021), and the parts that queries and schemas share. Documents come out in the form of gqlparser's JSON, which is what OPA
// shows, without what is empty. Comments are left out.
import { unfit } from './operand.js';

export type Node = Readonly<Record<string, unknown>>;

export interface Token {
  readonly kind: 'name' | 'int' | 'float' | 'string' | 'block' | 'punctuator' | 'end';
  readonly value: string;
}

const space = /(?:[\t ,\n\r\ufeff]|#[^\n\r]*)*/y;
const lexeme =
  /(?<name>[_A-Za-z]\w*)|(?<float>-?(?:0|[1-9]\d*)(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+))|(?<int>-?(?:0(?!\d)|[1-9]\d*))|"""(?<block>(?:\\"""|(?!""")[\s\S])*)"""|"(?!"")(?<string>(?:[^"\\\n\r]|\\u[0-9a-fA-F]{4}|\\["\\/bfnrt])*)"|(?<punctuator>\.\.\.|[!$&():=@[\]{}|])/y;
const maxDepth = 500;

function* tokens(text: string): Generator<Token> {
  for (let at = 0; ;) {
    space.lastIndex = at;
    at += space.exec(text)?.[0].length ?? 0;
    if (at >= text.length) break;
    lexeme.lastIndex = at;
    const match = lexeme.exec(text) ?? unfit();
    at += match[0].length;
    const [kind, value] = Object.entries(match.groups ?? {}).find(([, found]) => found !== undefined) ?? unfit();
    yield {
      kind: kind as Token['kind'],
      value: kind === 'block' ? toBlock(value ?? '') : kind === 'string' ? unescape(value ?? '') : (value ?? ''),
    };
  }
  for (;;) yield { kind: 'end', value: '' };
}

function unescape(text: string): string {
  return text.includes('\\') ? (JSON.parse(`"${text.replaceAll('\t', '\\t')}"`) as string) : text;
}

/** The common indentation and empty lines at both ends do not count. */
function toBlock(raw: string): string {
  const lines = raw.replaceAll('\\"""', '"""').replace(/\r\n?/g, '\n').split('\n');
  const indents = lines.filter((line) => /[^ \t]/.test(line)).map((line) => /^[ \t]*/.exec(line)?.[0].length ?? 0);
  const indent = indents.length === 0 ? undefined : Math.min(...indents);
  const cut = indent === undefined ? lines : lines.map((line, at) => (at === 0 ? line : line.slice(indent)));
  while (cut.length > 0 && !/[^ \t]/.test(cut[0] ?? '')) cut.shift();
  while (cut.length > 0 && !/[^ \t]/.test(cut.at(-1) ?? '')) cut.pop();
  return cut.join('\n');
}

/** Without members that are undefined, or lists without an item. */
export function toNode(members: Node): Node {
  return Object.fromEntries(
    Object.entries(members).filter(([, item]) => item !== undefined && !(Array.isArray(item) && item.length === 0)),
  );
}

const kinds: Readonly<Record<string, number>> = { int: 1, float: 2, string: 3, block: 4 };

export class Reader {
  readonly #tokens: Generator<Token>;
  #token: Token;
  #depth = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
    this.#token = this.#read();
  }

  peek(): Token {
    return this.#token;
  }

  next(): Token {
    const token = this.#token;
    this.#token = this.#read();
    return token;
  }

  isAt(value: string): boolean {
    return this.#token.kind === 'punctuator' && this.#token.value === value;
  }

  isWord(value: string): boolean {
    return this.#token.kind === 'name' && this.#token.value === value;
  }

  skip(value: string): boolean {
    const there = this.isAt(value);
    if (there) this.next();
    return there;
  }

  expect(value: string): void {
    if (!this.skip(value)) unfit();
  }

  word(value: string): void {
    if (!this.isWord(value)) unfit();
    this.next();
  }

  name(): string {
    return this.#token.kind === 'name' ? this.next().value : unfit();
  }

  /** What stands between two punctuators, once or more; nothing when the first is not there. */
  some<T>(open: string, close: string, read: () => T): T[] {
    const found = this.many(open, close, read);
    return found === undefined ? [] : found.length === 0 ? unfit() : found;
  }

  many<T>(open: string, close: string, read: () => T): T[] | undefined {
    if (!this.skip(open)) return undefined;
    if (++this.#depth > maxDepth) unfit();
    const found: T[] = [];
    while (!this.isAt(close)) found.push(this.#token.kind === 'end' ? unfit() : read());
    this.next();
    this.#depth--;
    return found;
  }

  arguments(constant: boolean): Node[] {
    return this.some('(', ')', () => {
      const Name = this.name();
      this.expect(':');
      return toNode({ Name, Value: this.value(constant) });
    });
  }

  directives(constant: boolean): Node[] {
    const found: Node[] = [];
    while (this.skip('@')) found.push(toNode({ Name: this.name(), Arguments: this.arguments(constant), Location: '' }));
    return found;
  }

  type(): Node {
    if (++this.#depth > maxDepth) unfit();
    const Elem = this.skip('[') ? this.type() : undefined;
    if (Elem !== undefined) this.expect(']');
    const NamedType = Elem === undefined ? this.name() : '';
    this.#depth--;
    return toNode({ NamedType, Elem, NonNull: this.skip('!') });
  }

  value(constant: boolean): Node {
    const toValue = (Kind: number, Raw: string, Children?: readonly Node[]): Node =>
      toNode({ Kind, Raw, Children, ExpectedTypeHasDefault: false });
    const list = this.many('[', ']', () => ({ Name: '', Value: this.value(constant) }));
    if (list !== undefined) return toValue(8, '', list);
    const members = this.many('{', '}', () => {
      const Name = this.name();
      this.expect(':');
      return { Name, Value: this.value(constant) };
    });
    if (members !== undefined) return toValue(9, '', members);
    if (this.isAt('$')) return constant ? unfit() : toValue(0, this.variable());
    const { kind, value } = this.next();
    if (kind === 'name') return toValue(value === 'true' || value === 'false' ? 5 : value === 'null' ? 6 : 7, value);
    return toValue(kinds[kind] ?? unfit(), value);
  }

  variable(): string {
    this.expect('$');
    return this.name();
  }

  #read(): Token {
    return this.#tokens.next().value as Token;
  }
}
