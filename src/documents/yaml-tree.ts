// Text → plain values and the line of every member. YAML 1.2 core schema (JSON is a part of it) without what makes YAML dangerous: no tags,
// anchors, aliases, directives or merge keys. The parser's own messages are dropped, since they quote the text.
import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, parseAllDocuments, Parser } from 'yaml';

import type { Json } from '../kernel/canonical-json.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import { toPointer } from '../kernel/json-pointer.js';
import { toSafeWord } from './safe-word.js';

export interface Tree {
  readonly value: Json;
  /** JSON pointer → line, from 1. */
  readonly lines: ReadonlyMap<string, number>;
}

const DEPTH_LIMIT = 50;
/** Of a file. What comes over the network is cut earlier: composing a node takes some microseconds and a kilobyte. */
const NODE_LIMIT = 400_000;
const TOKENS_PER_NODE = 5;
export const REQUEST_NODE_LIMIT = 50_000;

/** Every document of a text. A document with a problem of its own is left out and has a finding. */
export function parseTrees(
  text: string,
  file: string,
  nodes = NODE_LIMIT,
): { readonly trees: readonly Tree[]; readonly findings: readonly Finding[] } {
  const tooLarge = findTooLarge(text, nodes);
  if (tooLarge) return { trees: [], findings: [toFinding('DOCUMENT_TOO_LARGE', { file, ...tooLarge })] };
  const counter = new LineCounter();
  const documents = parseAllDocuments(text, {
    schema: 'core',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    lineCounter: counter,
  });
  const findings: Finding[] = [];
  const trees: Tree[] = [];
  if (!Array.isArray(documents)) return { trees, findings };
  const toLine = (offset: number | undefined): number => Math.max(1, counter.linePos(offset ?? 0).line);
  for (const document of documents) {
    const walk = new Walk(file, toLine);
    for (const error of document.errors) walk.find('DOCUMENT_SYNTAX', error.pos[0], error.code);
    if (document.directives?.yaml.explicit === true) walk.find('DOCUMENT_YAML_FEATURE', document.range[0], 'directive');
    if (document.errors.length === 0 && document.contents !== null) {
      const value = walk.value(document.contents, '');
      if (walk.findings.length === 0) trees.push({ value, lines: walk.lines });
    }
    findings.push(...walk.findings);
  }
  return { trees, findings: firstPerLine(findings) };
}

/** One broken line makes the parser complain many times: once is enough. */
function firstPerLine(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = `${finding.code} ${finding.where.line} ${finding.where.path ?? ''} ${finding.code === 'DOCUMENT_SYNTAX' ? '' : finding.where.name}`;
    return !seen.has(key) && seen.add(key);
  });
}

/**
 * The line where nesting or the number of members goes past a limit. Looked for before the text is composed, token by token, because both exhaust
 * the composer's stack, memory and time.
 */
function findTooLarge(text: string, nodes: number): { readonly line: number; readonly amount: string } | undefined {
  const parser = new Parser();
  let offset = 0;
  let tokens = 0;
  const at = (amount: string) => ({ line: text.slice(0, offset).split('\n').length, amount });
  for (const token of new Lexer().lex(text)) {
    offset += token.length;
    // Space is no node, but it is work: no more than so much of it between two.
    if (++tokens > nodes * TOKENS_PER_NODE) return at(`${nodes} members`);
    for (const _ of parser.next(token)) void _;
    if (parser.stack.length > DEPTH_LIMIT * 2) return at(`${DEPTH_LIMIT} levels`);
  }
  return undefined;
}

class Walk {
  readonly lines = new Map<string, number>();
  readonly findings: Finding[] = [];
  private nodes = 0;

  constructor(
    private readonly file: string,
    private readonly toLine: (offset: number | undefined) => number,
  ) {}

  find(
    code: 'DOCUMENT_SYNTAX' | 'DOCUMENT_YAML_FEATURE' | 'DOCUMENT_KEY_DUPLICATE' | 'DOCUMENT_KEY_REFUSED' | 'DOCUMENT_TOO_LARGE',
    offset: number | undefined,
    name: string,
  ): void {
    this.findings.push(toFinding(code, { file: this.file, line: this.toLine(offset), name, amount: name }));
  }

  value(node: Node | null, pointer: string, at?: number): Json {
    const offset = node?.range?.[0] ?? at;
    if (!this.lines.has(pointer)) this.lines.set(pointer, this.toLine(offset));
    if (++this.nodes === NODE_LIMIT) this.find('DOCUMENT_TOO_LARGE', offset, `${NODE_LIMIT} members`);
    if (node === null || this.nodes >= NODE_LIMIT) return null;
    if (isAlias(node)) return this.refuse('alias', offset);
    if ('anchor' in node && node.anchor !== undefined) return this.refuse('anchor', offset);
    if (node.tag !== undefined) return this.refuse('tag', offset);
    if (isMap(node)) return this.mapping(node.items, pointer);
    if (isSeq(node)) return node.items.map((item, i) => this.value(item as Node | null, `${pointer}/${i}`, offset));
    return isScalar(node) ? this.scalar(node.value, offset) : this.refuse('node', offset);
  }

  private mapping(items: readonly { key: unknown; value: unknown }[], pointer: string): Json {
    // Without a prototype: a member named `constructor` is a member like any other.
    const result = Object.create(null) as Record<string, Json>;
    for (const { key, value } of items) {
      const keyOffset = (key as Node | null)?.range?.[0];
      if (
        !isScalar(key) ||
        key.anchor !== undefined ||
        key.tag !== undefined ||
        !(typeof key.value === 'string' || typeof key.value === 'number')
      ) {
        this.find('DOCUMENT_KEY_REFUSED', keyOffset, 'a key that is not a plain word');
        continue;
      }
      const name = typeof key.value === 'number' ? (key.source ?? String(key.value)) : key.value;
      if (name === '__proto__' || name === '<<' || !name.isWellFormed()) this.find('DOCUMENT_KEY_REFUSED', keyOffset, toSafeWord(name));
      else if (Object.hasOwn(result, name)) this.find('DOCUMENT_KEY_DUPLICATE', keyOffset, toSafeWord(name));
      else {
        const below = pointer + toPointer(name);
        this.lines.set(below, this.toLine(keyOffset));
        result[name] = this.value(value as Node | null, below, keyOffset);
      }
    }
    return result;
  }

  private scalar(value: unknown, offset: number | undefined): Json {
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string' && value.isWellFormed() && !value.includes('\0')) return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    return this.refuse('scalar', offset);
  }

  private refuse(feature: string, offset: number | undefined): null {
    this.find('DOCUMENT_YAML_FEATURE', offset, feature);
    return null;
  }
}
