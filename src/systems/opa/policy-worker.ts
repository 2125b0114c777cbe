// The thread in which policies are evaluated, so that one that never ends can be killed. Texts of errors stay here: they may hold input.
import { parentPort, workerData } from 'node:worker_threads';

import { builtins, builtinsOff } from './builtins/builtins.js';
import { PolicyModule } from './module.js';
import { PolicyFailure } from './policy-failure.js';
import type { PolicyAnswer, PolicyQuestion, PolicyWorkerData } from './policy-thread.js';
import { toJson } from './value.js';

const { wasm, data, entrypoints, taken } = workerData as PolicyWorkerData;

let policy: PolicyModule | undefined;
parentPort?.postMessage([{ id: 0, ...load() }] satisfies PolicyAnswer[]);
parentPort?.on('message', (questions: readonly PolicyQuestion[]) => {
  // One by one, so that the clock of each begins when it is taken up.
  for (const question of questions)
    if (take(BigInt(question.id))) parentPort?.postMessage([{ id: question.id, ...answer(question) }] satisfies PolicyAnswer[]);
});

/** One that was passed on to another thread is not taken up here. */
function take(id: bigint): boolean {
  const before = Atomics.load(taken, 0);
  return before < id && Atomics.compareExchange(taken, 0, before, id) === before;
}

type Outcome =
  | { readonly results: string; readonly evalNs: number }
  | { readonly failure: PolicyFailure['failure']; readonly detail: string | undefined };

function load(): Outcome {
  try {
    policy = new PolicyModule({ wasm, data, builtins, off: builtinsOff });
    const missing = entrypoints.find((name) => policy?.entrypoints.has(name) !== true);
    return missing === undefined ? { results: '', evalNs: 0 } : { failure: 'unusable', detail: undefined };
  } catch (error) {
    return toFailure(error);
  }
}

function answer({ entrypoint, input, nowNs, seed, data: other }: PolicyQuestion): Outcome {
  try {
    const before = process.hrtime.bigint();
    const results = policy?.evaluate(entrypoint, input, { nowNs, seed }, other) ?? [];
    return { results: toJson(results), evalNs: Number(process.hrtime.bigint() - before) };
  } catch (error) {
    return toFailure(error);
  }
}

function toFailure(error: unknown): Outcome {
  return error instanceof PolicyFailure ? { failure: error.failure, detail: error.detail } : { failure: 'failed', detail: undefined };
}
