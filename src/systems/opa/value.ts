// Rego values as the engine hands them to built-ins. They cross the border as text in OPA's own notation and not as JavaScript values: numbers keep
// their literals, sets stay sets, and keys of objects may be anything.

export type Value = null | boolean | string | Num | readonly Value[] | RegoSet | RegoObject;

/** A number by its literal: nothing is lost before somebody calculates with it. */
export class Num {
  readonly literal: string;

  constructor(literal: string | number | bigint) {
    this.literal = String(literal);
  }
}

export class RegoSet {
  readonly #given: readonly Value[];
  readonly #distinct: boolean;
  #index: Map<string, Value> | undefined;
  #sorted: readonly Value[] | undefined;

  /** `distinct`: no two of the items are equal, as in what a module writes. */
  constructor(items: Iterable<Value> = [], distinct = false) {
    this.#given = [...items];
    this.#distinct = distinct;
  }

  has(item: Value): boolean {
    return this.#indexed().has(toKey(item));
  }

  get size(): number {
    return this.#distinct ? this.#given.length : this.#indexed().size;
  }

  /** In OPA's order. */
  sorted(): readonly Value[] {
    return (this.#sorted ??= (this.#distinct ? [...this.#given] : [...this.#indexed().values()]).sort(compare));
  }

  #indexed(): Map<string, Value> {
    return (this.#index ??= new Map(this.#given.map((item) => [toKey(item), item])));
  }
}

export class RegoObject {
  readonly #given: readonly (readonly [Value, Value])[];
  readonly #distinct: boolean;
  #index: Map<string, readonly [Value, Value]> | undefined;
  #sorted: readonly (readonly [Value, Value])[] | undefined;

  /** Of entries with equal keys the last counts; `distinct`: there are none. */
  constructor(entries: Iterable<readonly [Value, Value]> = [], distinct = false) {
    this.#given = [...entries];
    this.#distinct = distinct;
  }

  get(key: Value): Value | undefined {
    return this.#indexed().get(toKey(key))?.[1];
  }

  get size(): number {
    return this.entries().length;
  }

  entries(): readonly (readonly [Value, Value])[] {
    return this.#distinct ? this.#given : [...this.#indexed().values()];
  }

  /** In OPA's order of keys. */
  sorted(): readonly (readonly [Value, Value])[] {
    return (this.#sorted ??= [...this.entries()].sort(([a], [b]) => compare(a, b)));
  }

  #indexed(): Map<string, readonly [Value, Value]> {
    return (this.#index ??= new Map(this.#given.map((entry) => [toKey(entry[0]), entry])));
  }
}

export function toObject(members: Readonly<Record<string, Value>>): RegoObject {
  return new RegoObject(Object.entries(members));
}

/** Two values have the same key exactly when OPA holds them equal: 1, 1.0 and 1e0 are one number. */
function toKey(value: Value): string {
  if (typeof value === 'string') return `"${value}`;
  if (value instanceof Num) return toCanonicalNumber(value.literal);
  if (value instanceof RegoSet) return `{${value.sorted().map(toKey).join('\u0001')}}`;
  if (value instanceof RegoObject) {
    const members = value.sorted().map(([key, item]) => `${toKey(key)}\u0002${toKey(item)}`);
    return `<${members.join('\u0001')}>`;
  }
  return value === null || typeof value === 'boolean' ? `${value}` : `[${value.map(toKey).join('\u0001')}]`;
}

/** Sign, digits without zeros at either end, and the power of ten of the last digit. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

export function toDecimal(literal: string): Decimal {
  const match = /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(literal);
  if (match === null) throw new Error('no number');
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  const text = `${whole}${fraction}`.replace(/^0+(?=\d)/, '');
  const bare = text.replace(/0+$/, '');
  if (bare === '') return { digits: 0n, exponent: 0 };
  return { digits: BigInt(`${sign}${bare}`), exponent: Number(power) - fraction.length + (text.length - bare.length) };
}

function toCanonicalNumber(literal: string): string {
  if (/^(?:0|-?[1-9]\d{0,14})$/.test(literal)) {
    const bare = literal.replace(/0+$/, '');
    return literal === '0' ? '0e0' : `${bare}e${literal.length - bare.length}`;
  }
  const { digits, exponent } = toDecimal(literal);
  return `${digits}e${exponent}`;
}

export function compareNumbers(a: Num, b: Num): number {
  if (a.literal === b.literal) return 0;
  const [first, second] = [Number(a.literal), Number(b.literal)];
  // Doubles decide unless they cannot tell the two apart.
  if (first !== second) return first < second ? -1 : 1;
  const [x, y] = [toDecimal(a.literal), toDecimal(b.literal)];
  if (x.exponent === y.exponent) return x.digits < y.digits ? -1 : x.digits > y.digits ? 1 : 0;
  const least = Math.min(x.exponent, y.exponent);
  const left = x.digits * 10n ** BigInt(x.exponent - least);
  const right = y.digits * 10n ** BigInt(y.exponent - least);
  return left < right ? -1 : left > right ? 1 : 0;
}

function rankOf(value: Value): number {
  if (value === null) return 0;
  if (typeof value === 'boolean') return 1;
  if (value instanceof Num) return 2;
  if (typeof value === 'string') return 3;
  if (value instanceof RegoObject) return 5;
  return value instanceof RegoSet ? 6 : 4;
}

/** OPA's order: null, booleans, numbers, strings by code point, arrays, objects, sets. */
export function compare(a: Value, b: Value): number {
  const rank = rankOf(a);
  if (rank !== rankOf(b)) return rank - rankOf(b);
  if (typeof a === 'string') return compareTexts(a, b as string);
  if (a instanceof Num) return compareNumbers(a, b as Num);
  if (typeof a === 'boolean') return Number(a) - Number(b);
  if (a === null) return 0;
  if (a instanceof RegoObject) return compareEntries(a.sorted(), (b as RegoObject).sorted());
  if (a instanceof RegoSet) return compareLists(a.sorted(), (b as RegoSet).sorted());
  return compareLists(a, b as readonly Value[]);
}

function compareEntries(a: readonly (readonly [Value, Value])[], b: readonly (readonly [Value, Value])[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const [first, second] = [a[at] as readonly [Value, Value], b[at] as readonly [Value, Value]];
    const order = compare(first[0], second[0]) || compare(first[1], second[1]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const order = compare(a[at] as Value, b[at] as Value);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

const surrogate = /[\ud800-\udfff]/;

export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  // UTF-16 puts what lies above U+FFFF before U+E000; bytes do not.
  const far = surrogate.test(a) || surrogate.test(b);
  return far ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1;
}

export function equal(a: Value, b: Value): boolean {
  return compare(a, b) === 0;
}

/** In the notation that the module reads and writes: JSON with `{1,2}` for sets, `set()` for the empty one, and any value as a key. */
export function toText(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Num) return value.literal;
  if (value instanceof RegoSet) return value.size === 0 ? 'set()' : `{${value.sorted().map(toText).join(',')}}`;
  if (value instanceof RegoObject) {
    const members = value.sorted().map(([key, item]) => `${toText(key)}:${toText(item)}`);
    return `{${members.join(',')}}`;
  }
  return value === null || typeof value === 'boolean' ? `${value}` : `[${value.map(toText).join(',')}]`;
}

/** As JSON, as OPA does it: sets are sorted arrays, and keys that are no strings become their own text. Literals of numbers are kept. */
export function toJson(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Num) return value.literal;
  if (value instanceof RegoSet) return `[${value.sorted().map(toJson).join(',')}]`;
  if (value instanceof RegoObject) {
    const members = value.sorted().map(([key, item]) => `${JSON.stringify(typeof key === 'string' ? key : toJson(key))}:${toJson(item)}`);
    return `{${members.join(',')}}`;
  }
  return value === null || typeof value === 'boolean' ? `${value}` : `[${value.map(toJson).join(',')}]`;
}

/** As JavaScript sees it: numbers are doubles. For libraries that cannot do better. */
export function toPlain(value: Value): unknown {
  return JSON.parse(toJson(value)) as unknown;
}

/** From what a JavaScript library made: numbers in their shortest form. `undefined` members are left out. */
export function fromPlain(value: unknown): Value {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return new Num(value);
  if (Array.isArray(value)) return value.map(fromPlain);
  if (typeof value !== 'object') throw new Error('no JSON');
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  return new RegoObject(members.map(([key, item]) => [key, fromPlain(item)] as const));
}
