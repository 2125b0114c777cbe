// The thread in which the policy is evaluated, so that one that never ends can be killed. Texts of errors stay here: they may hold input.
import { parentPort, workerData } from 'node:worker_threads';

import { loadPolicy } from '@open-policy-agent/opa-wasm';

import type { PolicyAnswer, PolicyQuestion, PolicyThreadData } from './policy-thread.js';

const { wasm, entrypoint } = workerData as PolicyThreadData;

// 64 KiB a page: 16 MiB to begin with, 512 MiB at most.
const memory = { initial: 256, maximum: 8192 };

const policy = await load();
parentPort?.postMessage({ id: 0, ...(policy === undefined ? { failure: 'unusable' } : { result: null }) } satisfies PolicyAnswer);
parentPort?.on('message', ({ id, input }: PolicyQuestion) => {
  parentPort?.postMessage({ id, ...answer(input) } satisfies PolicyAnswer);
});

type LoadedPolicy = Awaited<ReturnType<typeof loadPolicy>>;

async function load(): Promise<LoadedPolicy | undefined> {
  try {
    const loaded = await loadPolicy(wasm, memory);
    // A policy that asks the host for built-ins was not made by build.mjs.
    return neededBuiltins(loaded) === 0 && Object.hasOwn(loaded.entrypoints as object, entrypoint) ? loaded : undefined;
  } catch {
    return undefined;
  }
}

/** What the SDK's declarations leave open: they need a browser's types. */
interface Loaded {
  readonly wasmInstance: { readonly exports: { builtins(): number; opa_json_dump(address: number): number } };
  readonly mem: { readonly buffer: ArrayBuffer };
}

function neededBuiltins(loaded: LoadedPolicy): number {
  const { wasmInstance, mem } = loaded as unknown as Loaded;
  const start = wasmInstance.exports.opa_json_dump(wasmInstance.exports.builtins());
  const bytes = new Uint8Array(mem.buffer);
  const text = Buffer.from(bytes.subarray(start, bytes.indexOf(0, start))).toString('utf8');
  return Object.keys(JSON.parse(text) as object).length;
}

function answer(input: string): { readonly result: unknown } | { readonly failure: 'failed' } {
  try {
    // Bytes and not an object: the SDK takes a falsy value for no input at all.
    const bytes = new TextEncoder().encode(input);
    const result: unknown = policy?.evaluate(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength), entrypoint);
    return { result };
  } catch {
    return { failure: 'failed' };
  }
}
