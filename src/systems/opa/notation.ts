// hot path: reads OPA's notation of a value (and JSON, which is a part of it) in one pass over the text. Called for each argument of each built-in.
// Measured by the decisions in bench/; test/policy/conformance.spec.ts reads thousands of values by it.
import { Num, RegoObject, RegoSet, type Value } from './value.js';

const jsonNumber = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const regoNumber = /-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const quote = 0x22;
const backslash = 0x5c;
/** Deeper is no document of anybody's, and the stack is finite. */
const maxDepth = 2000;

/** Throws when the text is no value. `json`: only JSON is one. */
export function parseNotation(text: string, json = false): Value {
  const reader = new Reader(text, json);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  readonly #json: boolean;
  #at = 0;

  constructor(text: string, json: boolean) {
    this.#text = text;
    this.#json = json;
  }

  value(depth: number): Value {
    if (depth > maxDepth) throw new Error('too deep');
    switch (this.#peek()) {
      case quote:
        return this.#string();
      case 0x5b: // [
        return this.#array(depth);
      case 0x7b: // {
        return this.#braces(depth);
      case 0x6e: // n
        return this.#word('null', null);
      case 0x74: // t
        return this.#word('true', true);
      case 0x66: // f
        return this.#word('false', false);
      case 0x73: // s
        if (this.#json) throw new Error('no JSON');
        return this.#word('set()', new RegoSet());
      default:
        return this.#number();
    }
  }

  end(): void {
    if (!Number.isNaN(this.#peek())) throw new Error('more than one value');
  }

  /** The next code that is no white space; NaN at the end. */
  #peek(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.#at++;
    }
  }

  #take(code: number): boolean {
    if (this.#peek() !== code) return false;
    this.#at++;
    return true;
  }

  #expect(code: number): void {
    if (!this.#take(code)) throw new Error('not in its notation');
  }

  #word<T extends Value>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw new Error('no value');
    this.#at += word.length;
    return value;
  }

  #number(): Num {
    const pattern = this.#json ? jsonNumber : regoNumber;
    pattern.lastIndex = this.#at;
    const literal = pattern.exec(this.#text)?.[0];
    if (literal === undefined) throw new Error('no value');
    this.#at += literal.length;
    // Rego lets `.5` be a number; JSON does not, and what is read here is written as JSON.
    return new Num(literal.replace(/^(-?)\./, '$10.'));
  }

  #string(): string {
    const start = this.#at;
    let at = start + 1;
    let plain = true;
    for (;;) {
      const code = this.#text.charCodeAt(at);
      if (code === quote) break;
      if (Number.isNaN(code)) throw new Error('an open string');
      if (code === backslash) at++;
      if (code === backslash || code < 0x20) plain = false;
      at++;
    }
    this.#at = at + 1;
    return plain ? this.#text.slice(start + 1, at) : (JSON.parse(this.#text.slice(start, at + 1)) as string);
  }

  #array(depth: number): Value[] {
    this.#at++;
    const items: Value[] = [];
    if (this.#take(0x5d)) return items;
    do items.push(this.value(depth + 1));
    while (this.#take(0x2c));
    this.#expect(0x5d);
    return items;
  }

  /** An object or a set: what stands after the first value tells. */
  #braces(depth: number): RegoObject | RegoSet {
    this.#at++;
    if (this.#take(0x7d)) return new RegoObject();
    const first = this.value(depth + 1);
    if (this.#peek() === 0x3a) return this.#object(first, depth);
    if (this.#json) throw new Error('no JSON');
    const items = [first];
    while (this.#take(0x2c)) items.push(this.value(depth + 1));
    this.#expect(0x7d);
    return new RegoSet(items, true);
  }

  #object(first: Value, depth: number): RegoObject {
    const entries: [Value, Value][] = [];
    let key = first;
    for (;;) {
      if (this.#json && typeof key !== 'string') throw new Error('no JSON');
      this.#expect(0x3a);
      entries.push([key, this.value(depth + 1)]);
      if (!this.#take(0x2c)) break;
      key = this.value(depth + 1);
    }
    this.#expect(0x7d);
    // Only a module's own text has no key twice.
    return new RegoObject(entries, !this.#json);
  }
}
