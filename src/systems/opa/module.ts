// OPA's WebAssembly ABI 1.2 and later, spoken directly: loads a compiled policy, says what it needs, and evaluates it. npm opa-wasm takes falsy input
// for none, loses numbers above 2^53 and knows a set only as an array, all of which a decision may hang on (docs/decisions/0067).
import { type Asked, type Builtin, BuiltinError } from './builtins/builtins.js';
import { parseNotation } from './notation.js';
import { PolicyFailure } from './policy-failure.js';
import { RegoSet, toText, type Value } from './value.js';

/** The part of the WebAssembly API that is used; Node's types leave it to the DOM library. */
interface WebAssemblyApi {
  readonly Memory: new (limits: { initial: number; maximum: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}
interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
const api = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

interface Exports {
  readonly opa_wasm_abi_version: { readonly value: number };
  readonly opa_wasm_abi_minor_version: { readonly value: number };
  builtins(): number;
  entrypoints(): number;
  opa_malloc(length: number): number;
  opa_value_parse(at: number, length: number): number;
  opa_value_dump(value: number): number;
  opa_json_dump(value: number): number;
  opa_heap_ptr_get(): number;
  opa_heap_ptr_set(at: number): void;
  opa_eval(reserved: 0, entrypoint: number, data: number, input: number, length: number, heap: number, asValue: 0 | 1): number;
}

const pageBytes = 65_536;
/** 1 MiB to begin with, 512 MiB at most. */
const limits = { initial: 16, maximum: 8192 };
const decoder = new TextDecoder();
const encoder = new TextEncoder();

export interface ModuleOptions {
  readonly wasm: Uint8Array;
  /** JSON text of the base document. */
  readonly data: string;
  readonly builtins: ReadonlyMap<string, Builtin>;
  /** Known by name, and refused for a reason of their own. */
  readonly off: ReadonlySet<string>;
}

export class PolicyModule {
  readonly entrypoints: ReadonlyMap<string, number>;
  readonly #memory: Memory;
  readonly #exports: Exports;
  readonly #data: number;
  readonly #heap: number;
  #asked: Asked | undefined;

  /** Throws PolicyFailure when it does not load or needs what is not provided. */
  constructor(options: ModuleOptions) {
    this.#memory = new api.Memory(limits);
    const called = new Map<number, Builtin>();
    try {
      const call = (id: number, _context: number, ...args: number[]): number => this.#call(called.get(id), args);
      const env = {
        memory: this.#memory,
        opa_abort: (at: number): never => {
          throw toAbort(this.#read(at));
        },
        opa_println: (): void => undefined,
        ...{ opa_builtin0: call, opa_builtin1: call, opa_builtin2: call, opa_builtin3: call, opa_builtin4: call },
      };
      this.#exports = new api.Instance(new api.Module(options.wasm), { env }).exports as Exports;
      const { opa_wasm_abi_version: version, opa_wasm_abi_minor_version: minor } = this.#exports;
      if (version.value !== 1 || minor.value < 2) throw new PolicyFailure('unusable');
      this.entrypoints = new Map(Object.entries(this.#names(this.#exports.entrypoints())));
      for (const [name, id] of Object.entries(this.#names(this.#exports.builtins()))) called.set(id, resolve(name, options));
      this.#data = this.#write(options.data);
      this.#heap = this.#exports.opa_heap_ptr_get();
    } catch (error) {
      throw error instanceof PolicyFailure ? error : new PolicyFailure('unusable');
    }
  }

  /** OPA's set of results; `input` is JSON text, undefined is no input; so is `data`, for this once. Throws PolicyFailure and nothing else. */
  evaluate(entrypoint: string | number, input: string | undefined, asked: Asked, data?: string): readonly Value[] {
    const id = typeof entrypoint === 'number' ? entrypoint : this.entrypoints.get(entrypoint);
    if (id === undefined) throw new PolicyFailure('unusable');
    this.#asked = asked;
    try {
      const bytes = input === undefined ? new Uint8Array() : encoder.encode(input);
      const { document, heap } = this.#place(data);
      this.#reserve(heap + bytes.length);
      new Uint8Array(this.#memory.buffer).set(bytes, heap);
      const result = this.#exports.opa_eval(0, id, document, heap, bytes.length, heap + bytes.length, 1);
      const results = parseNotation(this.#read(result));
      if (results instanceof RegoSet) return results.sorted();
      throw new PolicyFailure('failed');
    } catch (error) {
      throw toFailure(error);
    } finally {
      this.#asked = undefined;
    }
  }

  #call(builtin: Builtin | undefined, args: readonly number[]): number {
    if (builtin === undefined || this.#asked === undefined) throw new PolicyFailure('builtin-missing');
    let result: Value | undefined;
    try {
      result = builtin(
        args.map((at) => parseNotation(this.#read(this.#exports.opa_value_dump(at)))),
        this.#asked,
      );
    } catch (error) {
      // As in OPA: what a built-in cannot do is undefined. Anything else that it throws is a fault, and ends the evaluation.
      if (error instanceof BuiltinError) return 0;
      throw error;
    }
    return result === undefined ? 0 : this.#write(toText(result));
  }

  /** Where the base document is, and what is free behind it: another one is written where the last evaluation was. */
  #place(data: string | undefined): { readonly document: number; readonly heap: number } {
    if (data === undefined) return { document: this.#data, heap: this.#heap };
    this.#exports.opa_heap_ptr_set(this.#heap);
    return { document: this.#write(data), heap: this.#exports.opa_heap_ptr_get() };
  }

  /** The address of a value of the module's. */
  #write(text: string): number {
    const bytes = encoder.encode(text);
    const at = this.#exports.opa_malloc(bytes.length);
    new Uint8Array(this.#memory.buffer).set(bytes, at);
    const value = this.#exports.opa_value_parse(at, bytes.length);
    if (value === 0) throw new PolicyFailure('failed');
    return value;
  }

  #names(at: number): Record<string, number> {
    return JSON.parse(this.#read(this.#exports.opa_json_dump(at))) as Record<string, number>;
  }

  /** The text at an address, up to its NUL. */
  #read(at: number): string {
    const bytes = new Uint8Array(this.#memory.buffer);
    return decoder.decode(bytes.subarray(at, bytes.indexOf(0, at)));
  }

  #reserve(end: number): void {
    const missing = end - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / pageBytes));
  }
}

function resolve(name: string, { builtins, off }: ModuleOptions): Builtin {
  if (off.has(name)) throw new PolicyFailure('builtin-off', name);
  const builtin = builtins.get(name);
  if (builtin === undefined) throw new PolicyFailure('builtin-missing', name);
  return builtin;
}

/** What the module says before it gives up: only its kind is kept. */
function toAbort(message: string): PolicyFailure {
  if (/conflict|must not produce multiple/.test(message)) return new PolicyFailure('conflict');
  return new PolicyFailure(/opa_malloc|out of memory/.test(message) ? 'too-large' : 'failed');
}

function toFailure(error: unknown): PolicyFailure {
  if (error instanceof PolicyFailure) return error;
  // Memory that cannot grow, and a stack that is used up.
  return new PolicyFailure(error instanceof RangeError ? 'too-large' : 'failed');
}
