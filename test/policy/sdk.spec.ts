// The compiled policy through OPA's own SDK for JavaScript: what ships speaks the ABI itself (docs/decisions/0067), and on every row of the decision
// tables both say the same.
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { loadPolicy } from '@open-policy-agent/opa-wasm';

import { packageFile } from '../../src/kernel/package-root.js';
import type { Policy } from '../../src/pipeline/ports.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { table } from './decision-table.js';
import { exchangeTable } from './exchange-table.js';

let ours: Readonly<Record<'provision' | 'exchange', Policy>>;
beforeAll(async () => {
  ours = { provision: await openPolicy(), exchange: await openPolicy({ question: 'exchange' }) };
});
afterAll(() => Promise.all(Object.values(ours).map((policy) => policy.close())));

const textOf = (reason: unknown): string => JSON.stringify(reason, ['code', 'controlIds', 'hint', 'message']);

it.each([
  ['provision', 'gate/provision/decision', table],
  ['exchange', 'tokens/exchange/decision', exchangeTable],
] as const)('the SDK decides about %s as the product does', async (question, entrypoint, rows) => {
  const theirs = await loadPolicy(readFileSync(packageFile('policies', 'provision.wasm')), undefined);
  for (const [, input] of rows) {
    const { allow, reasons } = await ours[question].decide(input);
    const [answer] = theirs.evaluate(input, entrypoint) as { result: { allow: boolean; reasons: unknown[] } }[];
    expect([answer?.result.allow, answer?.result.reasons.map(textOf).sort()]).toEqual([allow, reasons.map(textOf).sort()]);
  }
});
