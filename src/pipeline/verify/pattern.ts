// The output space that a transform declares, as a pattern, and the automaton that the kernel runs over every original and every output.
// A small part of regular expressions, over bytes: literals, `.`, `[a-z]`, `[^…]`, `\d`, `\x` for any sign x, groups, `|`, `?`, `*`, `+`, `{m}`,
// `{m,}`, `{m,n}`. A pattern speaks of the whole value, in small letters. The empty pattern is the empty text only. `\L5` and signs after it are a
// pattern alone: digits whose last is five away from Luhn's (ISO/IEC 7812-1), and between them these signs.

type Bytes = ReadonlySet<number>;
type Node =
  | { readonly kind: 'bytes'; readonly bytes: Bytes }
  | { readonly kind: 'all'; readonly nodes: readonly Node[] }
  | { readonly kind: 'any'; readonly nodes: readonly Node[] }
  | { readonly kind: 'times'; readonly node: Node; readonly least: number; readonly most: number };

const everything: Bytes = new Set(Array.from({ length: 256 }, (_, byte) => byte));
const digits: Bytes = new Set(Buffer.from('0123456789'));

class Parser {
  private at = 0;
  private readonly text: Buffer;

  constructor(pattern: string) {
    this.text = Buffer.from(pattern);
  }

  parse(): Node {
    const node = this.any();
    if (this.at !== this.text.length) this.fail();
    return node;
  }

  private any(): Node {
    const nodes = [this.all()];
    while (this.take('|')) nodes.push(this.all());
    return nodes.length === 1 ? (nodes[0] as Node) : { kind: 'any', nodes };
  }

  private all(): Node {
    const nodes: Node[] = [];
    while (this.at < this.text.length && !this.sees('|') && !this.sees(')')) nodes.push(this.times(this.one()));
    return { kind: 'all', nodes };
  }

  private one(): Node {
    if (this.take('(')) {
      const node = this.any();
      if (!this.take(')')) this.fail();
      return node;
    }
    if (this.take('[')) return { kind: 'bytes', bytes: this.set() };
    if (this.take('.')) return { kind: 'bytes', bytes: everything };
    return { kind: 'bytes', bytes: this.byte() };
  }

  private byte(): Bytes {
    if (!this.take('\\')) return new Set([this.next()]);
    return this.take('d') ? digits : new Set([this.next()]);
  }

  private set(): Bytes {
    const not = this.take('^');
    const bytes = new Set<number>();
    while (!this.take(']')) {
      const some = this.byte();
      const [from = 0] = some;
      if (some.size === 1 && this.sees('-') && this.text[this.at + 1] !== 0x5d) {
        this.at++;
        for (let byte = from, to = this.next(); byte <= to; byte++) bytes.add(byte);
      } else for (const byte of some) bytes.add(byte);
    }
    return not ? new Set([...everything].filter((byte) => !bytes.has(byte))) : bytes;
  }

  private times(node: Node): Node {
    if (this.take('?')) return { kind: 'times', node, least: 0, most: 1 };
    if (this.take('*')) return { kind: 'times', node, least: 0, most: Infinity };
    if (this.take('+')) return { kind: 'times', node, least: 1, most: Infinity };
    const found = /^\{(\d+)(,?)(\d*)\}/.exec(this.text.subarray(this.at, this.at + 12).toString('latin1'));
    if (!found) return node;
    const [whole, least, comma, most] = found;
    this.at += whole.length;
    return { kind: 'times', node, least: Number(least), most: !comma ? Number(least) : most ? Number(most) : Infinity };
  }

  private sees(sign: string): boolean {
    return this.text[this.at] === sign.charCodeAt(0);
  }

  private take(sign: string): boolean {
    if (!this.sees(sign)) return false;
    this.at++;
    return true;
  }

  private next(): number {
    const byte = this.text[this.at++];
    return byte ?? this.fail();
  }

  private fail(): never {
    throw new SyntaxError(`not a pattern, at ${this.at}`);
  }
}

/** States with edges that take a byte, and edges that take none (Thompson's construction). */
class Machine {
  readonly steps: { readonly bytes: Bytes; readonly to: number }[][] = [];
  readonly jumps: number[][] = [];

  state(): number {
    this.steps.push([]);
    return this.jumps.push([]) - 1;
  }

  /** Adds what leads from `from` over a word of the node; returns where it leads. */
  add(node: Node, from: number): number {
    if (node.kind === 'bytes') {
      const to = this.state();
      (this.steps[from] as { bytes: Bytes; to: number }[]).push({ bytes: node.bytes, to });
      return to;
    }
    if (node.kind === 'all') return node.nodes.reduce((at, one) => this.add(one, at), from);
    if (node.kind === 'any') {
      const to = this.state();
      for (const one of node.nodes) this.jump(this.add(one, this.jumpTo(from)), to);
      return to;
    }
    let at = from;
    for (let i = 0; i < node.least; i++) at = this.add(node.node, at);
    if (node.most === Infinity) {
      const loop = this.jumpTo(at);
      this.jump(this.add(node.node, loop), loop);
      return this.jumpTo(loop);
    }
    const end = this.state();
    for (let i = node.least; i < node.most; i++) {
      this.jump(at, end);
      at = this.add(node.node, at);
    }
    this.jump(at, end);
    return end;
  }

  private jumpTo(from: number): number {
    const to = this.state();
    this.jump(from, to);
    return to;
  }

  private jump(from: number, to: number): void {
    (this.jumps[from] as number[]).push(to);
  }

  closure(states: Iterable<number>): readonly number[] {
    const seen = new Set(states);
    for (const state of seen) for (const to of this.jumps[state] as number[]) seen.add(to);
    return [...seen].sort((a, b) => a - b);
  }
}

/**
 * The automaton as the kernel reads it: number of byte classes, last accepting state and first state (4 bytes each), the class of each byte
 * (256), then per state and class the next state. State 0 leads nowhere, the accepting ones come right after it. At most 255 states.
 */
export function toAutomaton(pattern: string): Uint8Array {
  const luhn = /^\\L(\d)(.*)$/s.exec(pattern);
  if (luhn) return toLuhnAutomaton(Number(luhn[1]), luhn[2] ?? '');
  const machine = new Machine();
  const start = machine.state();
  const end = machine.add(new Parser(pattern).parse(), start);
  const { classOf, samples } = toClasses(machine);
  const keys = new Map<string, number>();
  const sets: (readonly number[])[] = [];
  const edges: number[][] = [];
  const numberOf = (states: readonly number[]): number => {
    if (states.length === 0) return -1;
    const key = states.join();
    const known = keys.get(key);
    if (known !== undefined) return known;
    keys.set(key, sets.length);
    return sets.push(states) - 1;
  };
  numberOf(machine.closure([start]));
  for (let i = 0; i < sets.length; i++) {
    if (sets.length > 255) throw new RangeError('the pattern has too many states');
    const steps = (sets[i] as readonly number[]).flatMap((state) => machine.steps[state] ?? []);
    edges.push(samples.map((byte) => numberOf(machine.closure(steps.filter(({ bytes }) => bytes.has(byte)).map(({ to }) => to)))));
  }
  const order = [...sets.keys()].sort((a, b) => Number(!sets[a]?.includes(end)) - Number(!sets[b]?.includes(end)));
  const accepting = sets.filter((states) => states.includes(end)).length;
  const place = new Map(order.map((old, i) => [old, i + 1]));
  const table = [samples.map(() => 0), ...order.map((old) => (edges[old] as number[]).map((to) => place.get(to) ?? 0))];
  const head = new Uint8Array(Uint32Array.of(samples.length, accepting, place.get(0) ?? 0).buffer);
  return Buffer.concat([head, classOf, Uint8Array.from(table.flat())]);
}

/**
 * A state is two sums mod 10: with the last digit as it is and every other one before it doubled, and with the last one doubled. The next digit
 * makes the one out of the other. Accepting: the first sum is the distance.
 */
function toLuhnAutomaton(distance: number, signs: string): Uint8Array {
  const [sign, other] = [10, 11];
  const classOf = new Uint8Array(256).fill(other);
  for (const byte of Buffer.from(signs)) classOf[byte] = sign;
  for (const [digit, byte] of [...digits].entries()) classOf[byte] = digit;
  const stateOf = (plain: number, doubled: number): number => 1 + 10 * ((plain - distance + 20) % 10) + (doubled % 10);
  const table = new Uint8Array(101 * 12);
  for (let plain = 0; plain < 10; plain++) {
    for (let doubled = 0; doubled < 10; doubled++) {
      const row = 12 * stateOf(plain, doubled);
      for (let digit = 0; digit < 10; digit++)
        table[row + digit] = stateOf(doubled + digit, plain + (digit > 4 ? 2 * digit - 9 : 2 * digit));
      table[row + sign] = stateOf(plain, doubled);
    }
  }
  const head = new Uint8Array(Uint32Array.of(12, 10, stateOf(0, 0)).buffer);
  return Buffer.concat([head, classOf, table]);
}

/** Bytes that no edge tells apart are one class. */
function toClasses(machine: Machine): { readonly classOf: Uint8Array; readonly samples: readonly number[] } {
  const distinct = [...new Set(machine.steps.flat().map(({ bytes }) => bytes))];
  const names = new Map<string, number>();
  const samples: number[] = [];
  const classOf = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const name = distinct.map((bytes) => (bytes.has(byte) ? '1' : '0')).join('');
    const known = names.get(name) ?? samples.push(byte) - 1;
    names.set(name, known);
    classOf[byte] = known;
  }
  return { classOf, samples };
}
