// Does the engine answer a test case as OPA does?
import { builtins, builtinsOff } from '../../../src/systems/opa/builtins/builtins.js';
import { PolicyModule } from '../../../src/systems/opa/module.js';
import { parseNotation } from '../../../src/systems/opa/notation.js';
import { PolicyFailure } from '../../../src/systems/opa/policy-failure.js';
import { equal, RegoObject, RegoSet, toJson, type Value } from '../../../src/systems/opa/value.js';
import type { Case } from './cases.js';

export interface Verdict {
  readonly right: boolean;
  readonly why: string;
  /** True came out where OPA has not: an allow that nobody gave. */
  readonly tooMuch: boolean;
}

const nowNs = BigInt(Date.UTC(2026, 10, 21)) * 1_000_000n;

export function check(one: Case, wasm: Uint8Array): Verdict {
  if (one.failure !== undefined) return { right: false, why: `OPA does not compile it: ${one.failure}`, tooMuch: false };
  const want = (parseNotation(one.line, true) as RegoObject).get('want');
  let got: readonly Value[];
  try {
    const module = new PolicyModule({ wasm, data: one.data, builtins, off: builtinsOff });
    got = module.evaluate(0, one.input, { nowNs, seed: one.note });
  } catch (error) {
    const { failure, detail } = error as PolicyFailure;
    if (!(error instanceof PolicyFailure)) throw error;
    return { right: one.wantError && failure === 'conflict', why: `${failure} ${detail ?? ''}`.trim(), tooMuch: false };
  }
  const [wanted, found] = [toResults(want ?? [], one), toResults(got, one)];
  if (one.wantError) return { right: false, why: 'no error', tooMuch: isMore(found, new RegoSet()) };
  return { right: equal(wanted, found), why: `${toJson(found)} and not ${toJson(wanted)}`, tooMuch: isMore(found, wanted) };
}

/** Results as OPA's own test compares them: as a set of bindings, each of them JSON. */
function toResults(results: Value, one: Case): RegoSet {
  const list = Array.isArray(results) ? (results as readonly Value[]) : [];
  return new RegoSet(
    list.map((result) => new RegoObject((result as RegoObject).entries().flatMap(([name, value]) => toBinding(name, value, one)))),
  );
}

function toBinding(name: Value, value: Value, { sortBindings, ignoreGeneratedVars }: Case): [Value, Value][] {
  if (ignoreGeneratedVars && typeof name === 'string' && name.startsWith('__localq')) return [];
  const json = parseNotation(toJson(value), true);
  return [[name, sortBindings && Array.isArray(json) ? new RegoSet(json as readonly Value[]).sorted() : json]];
}

/** True where OPA has something else, or nothing. */
function isMore(found: RegoSet, wanted: RegoSet): boolean {
  const isTrue = (results: RegoSet): boolean =>
    results.sorted().some((result) => (result as RegoObject).entries().some(([, value]) => value === true));
  return isTrue(found) && !isTrue(wanted);
}
