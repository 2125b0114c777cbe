// strings.render_template: of Go's text/template the part without functions and pipelines: fields, variables, if, range, with, comments, and trimming.
import { Num, RegoObject, type Value } from '../value.js';
import type { Family } from './builtin.js';
import { isArray, objectOf, textOf, unfit } from './operand.js';
import { printTerm } from './sprintf.js';

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly path: string }
  | {
      readonly kind: 'block';
      readonly word: string;
      readonly head: string;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

interface Scope {
  readonly dot: Value | undefined;
  readonly variables: Readonly<Record<string, Value | undefined>>;
}

const maxNodes = 10_000;

function parse(template: string): Node[] {
  const tokens = template.split(/(\s+\{\{-(?= )[\s\S]*?-?\}\}|\{\{[\s\S]*?\}\}(?:\s+(?=))?)/);
  const pieces: (string | { readonly action: string })[] = [];
  let trim = false;
  for (const [at, token] of tokens.entries()) {
    if (at % 2 === 0) {
      pieces.push(trim ? token.trimStart() : token);
      trim = false;
      continue;
    }
    const [, before = '', action = '', after = ''] = /^(\s*)\{\{-?([\s\S]*?)-?\}\}(\s*)$/.exec(token) ?? [];
    if (!/\{\{-/.test(token) && before !== '') pieces.push(before);
    pieces.push({ action: action.trim() });
    trim = /-\}\}/.test(token);
    if (!trim && after !== '') pieces.push(after);
  }
  if (pieces.length > maxNodes || pieces.some((piece) => typeof piece === 'string' && piece.includes('{{'))) return unfit();
  const { nodes, end } = readNodes(pieces, 0);
  return end === pieces.length ? nodes : unfit();
}

function readNodes(
  pieces: readonly (string | { readonly action: string })[],
  from: number,
): { readonly nodes: Node[]; readonly end: number } {
  const nodes: Node[] = [];
  let at = from;
  for (; at < pieces.length; at++) {
    const piece = pieces[at] ?? '';
    if (typeof piece === 'string') {
      nodes.push({ kind: 'text', text: piece });
      continue;
    }
    const { action } = piece;
    if (action === 'end' || action === 'else') break;
    if (action.startsWith('/*')) continue;
    const [, word, head = ''] = /^(if|range|with)\s+(.+)$/s.exec(action) ?? [];
    if (word === undefined) {
      nodes.push({ kind: 'print', path: action });
      continue;
    }
    const body = readNodes(pieces, at + 1);
    const hasElse = isAction(pieces[body.end], 'else');
    const otherwise = hasElse ? readNodes(pieces, body.end + 1) : { nodes: [], end: body.end };
    if (!isAction(pieces[otherwise.end], 'end')) return unfit();
    nodes.push({ kind: 'block', word, head, body: body.nodes, otherwise: otherwise.nodes });
    at = otherwise.end;
  }
  return { nodes, end: at };
}

function isAction(piece: string | { readonly action: string } | undefined, action: string): boolean {
  return typeof piece === 'object' && piece.action === action;
}

/** `.a.b`, `$x.a`, `.` or `$`. */
function lookUp(path: string, { dot, variables }: Scope): Value | undefined {
  const match = /^(\$\w*)?((?:\.\w+)*|\.)$/.exec(path);
  if (match === null || path === '') return unfit();
  const [, variable, fields = ''] = match;
  if (variable !== undefined && !Object.hasOwn(variables, variable)) return unfit();
  let value = variable === undefined ? dot : variables[variable];
  for (const field of fields
    .split('.')
    .slice(1)
    .filter((name) => name !== '')) {
    if (value === undefined) return unfit();
    value = value instanceof RegoObject ? value.get(field) : unfit();
  }
  return value;
}

function isTrue(value: Value | undefined): boolean {
  if (value === undefined || value === null || value === false || value === '') return false;
  if (value instanceof Num) return Number(value.literal) !== 0;
  if (value instanceof RegoObject) return value.size > 0;
  return !isArray(value) || value.length > 0;
}

function print(value: Value | undefined): string {
  if (value === undefined || value === null) return '<undefined>';
  if (typeof value === 'string') return value;
  if (value instanceof RegoObject)
    return `map[${value
      .sorted()
      .map(([key, item]) => `${print(key)}:${print(item)}`)
      .join(' ')}]`;
  return isArray(value) ? `[${value.map(print).join(' ')}]` : printTerm(value);
}

function render(nodes: readonly Node[], scope: Scope): string {
  return nodes
    .map((node) => {
      if (node.kind === 'text') return node.text;
      return node.kind === 'print' ? print(lookUp(node.path, scope)) : renderBlock(node, scope);
    })
    .join('');
}

function renderBlock(node: Extract<Node, { kind: 'block' }>, scope: Scope): string {
  const [, names = '', path = ''] = /^(?:((?:\$\w+\s*,\s*)?\$\w+)\s*:=\s*)?(\S+)$/.exec(node.head) ?? [];
  const declared = names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const value = lookUp(path, scope);
  if (node.word !== 'range') {
    const inner = {
      dot: node.word === 'with' ? value : scope.dot,
      variables: { ...scope.variables, ...(declared[0] === undefined ? {} : { [declared[0]]: value }) },
    };
    return isTrue(value) ? render(node.body, inner) : render(node.otherwise, scope);
  }
  const entries =
    value instanceof RegoObject
      ? value.sorted()
      : isArray(value)
        ? value.map((item, at) => [new Num(at), item] as const)
        : value === undefined || value === null
          ? []
          : unfit();
  if (entries.length === 0) return render(node.otherwise, scope);
  return entries
    .map(([key, item]) => {
      const [first, second] = declared;
      const own = second === undefined ? (first === undefined ? {} : { [first]: item }) : { [first as string]: key, [second]: item };
      return render(node.body, { dot: item, variables: { ...scope.variables, ...own } });
    })
    .join('');
}

export const templateBuiltins: Family = {
  'strings.render_template': ([template, given]) => {
    const dot = objectOf(given);
    return render(parse(textOf(template)), { dot, variables: { $: dot } });
  },
};
