// Loads a WebAssembly kernel that the build made from src/pipeline/<stage>/kernel/assembly/<name>.ts.
import { readFileSync } from 'node:fs';

import { packageFile } from './package-root.js';

/** The part of the WebAssembly API that is used; Node's types leave it to the DOM library. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => { readonly exports: unknown };
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  /** Grows by pages of 64 KiB; detaches `buffer`. */
  grow(pages: number): number;
}

const api = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
const modules = new Map<string, object>();

/** A fresh instance with its own memory; the module is compiled once a thread. `T` names its exports. */
export function loadWasm<T extends { readonly memory: WasmMemory }>(name: string): T {
  let module = modules.get(name);
  if (!module) modules.set(name, (module = new api.Module(readFileSync(packageFile('dist', 'kernel', `${name}.wasm`)))));
  return new api.Instance(module).exports as T;
}
