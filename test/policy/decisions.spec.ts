// The decision table through the compiled wasm, as it ships, and through opa itself.
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import type { Decision } from '../../src/pipeline/decision.js';
import { decide } from '../../src/pipeline/gate/gate.js';
import type { Policy } from '../../src/pipeline/ports.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { type Row, table } from './decision-table.js';
import { deployTable } from './deploy-table.js';
import { exchangeTable } from './exchange-table.js';
import { itWithOpa, runOpa } from './opa-binary.js';

let policy: Policy;
let exchange: Policy;
let deploy: Policy;
beforeAll(async () => {
  [policy, exchange, deploy] = await Promise.all([openPolicy(), openPolicy({ question: 'exchange' }), openPolicy({ question: 'deploy' })]);
});
afterAll(() => Promise.all([policy.close(), exchange.close(), deploy.close()]));

const codesOf = ({ reasons }: Pick<Decision, 'reasons'>): string[] => [...new Set(reasons.map(({ code }) => code))].sort();

describe('the compiled policy', () => {
  it.each(table)('decides when %s', async (_, input, codes) => {
    const decision = await decide(policy, input);
    expect(codesOf(decision)).toEqual([...codes].sort());
    expect(decision.allow).toBe(codes.length === 0);
    expect(decision.policy).toEqual(policy.bundle);
  });

  it.each(exchangeTable)('decides about an exchange when %s', async (_, input, codes) => {
    const decision = await decide(exchange, input);
    expect(codesOf(decision)).toEqual([...codes].sort());
    expect(decision.allow).toBe(codes.length === 0);
  });

  it.each(deployTable)('decides about a deployment when %s', async (_, input, codes) => {
    const decision = await decide(deploy, input);
    expect(codesOf(decision)).toEqual([...codes].sort());
    expect(decision.allow).toBe(codes.length === 0);
    const { earned = -1, possible = -1, hundredths, items = [] } = decision.score ?? {};
    expect(items.reduce((sum, one) => sum + one.earned, 0)).toBe(earned);
    expect(hundredths).toBe(possible === 0 ? 0 : Number((BigInt(earned) * 10_000n) / BigInt(possible)));
  });

  it('gives the reasons sorted, each with controls, message and hint, and the same whenever it is asked', async () => {
    for (const [, input] of table) {
      const [first, second] = [await policy.decide(input), await policy.decide(input)];
      expect(second.reasons).toEqual(first.reasons);
      expect(second.decisionId).not.toBe(first.decisionId);
      const keys = first.reasons.map(({ code, message }) => `${code}\n${message}`);
      expect(keys).toEqual([...keys].sort());
      expect(first.reasons.every(({ controlIds, message, hint }) => controlIds.length > 0 && message !== '' && hint !== '')).toBe(true);
    }
  });
});

it('has a row for every code that a rule can give', () => {
  const documented = [...readFileSync(packageFile('docs', 'policies.md'), 'utf8').matchAll(/^- `(\w+)`: /gm)].map(([, code]) => code);
  expect(documented.length).toBeGreaterThan(30);
  expect([...new Set([...table, ...exchangeTable, ...deployTable].flatMap(([, , codes]) => codes))].sort()).toEqual(
    [...new Set(documented)].sort(),
  );
});

itWithOpa('opa decides each row as the compiled policy does, word for word', async () => {
  await compareWithOpa(policy, 'data.gate.provision.decision', table);
  await compareWithOpa(exchange, 'data.tokens.exchange.decision', exchangeTable);
  await compareWithOpa(deploy, 'data.deploy.gate.decision', deployTable);
});

async function compareWithOpa(compiled: Policy, rule: string, rows: readonly Row[]): Promise<void> {
  const query = `[d | some c in input.cases; d := ${rule} with input as c]`;
  const { status, stdout } = runOpa(
    ['eval', '-d', 'policies', '-I', '-f', 'raw', query],
    JSON.stringify({ cases: rows.map(([, input]) => input) }),
  );
  expect(status).toBe(0);
  const decisions = JSON.parse(stdout) as Pick<Decision, 'allow' | 'reasons' | 'score' | 'missing'>[];
  expect(decisions).toHaveLength(rows.length);
  for (const [position, [, input]] of rows.entries()) {
    const { allow, reasons, score, missing } = await compiled.decide(input);
    const other = decisions[position];
    const textOf = (reason: unknown): string => JSON.stringify(reason, ['code', 'controlIds', 'hint', 'message', 'points', 'evidenceId']);
    expect([other?.score, other?.missing && [...other.missing].sort()]).toEqual([score, missing]);
    expect({ allow: other?.allow, reasons: other?.reasons.map(textOf).sort() }).toEqual({ allow, reasons: reasons.map(textOf).sort() });
  }
}

itWithOpa("opa's own tests beside the rules pass", () => {
  const { status, stdout } = runOpa(['test', 'policies', '-f', 'json']);
  const results = JSON.parse(stdout) as { readonly name: string; readonly fail?: boolean; readonly error?: unknown }[];
  expect(results.filter(({ fail, error }) => fail === true || error !== undefined).map(({ name }) => name)).toEqual([]);
  expect(results.length).toBeGreaterThan(100);
  expect(status).toBe(0);
});

itWithOpa('the rules are formatted as opa does, and pass its strict check', () => {
  expect(runOpa(['check', '--strict', 'policies']).status).toBe(0);
  expect(runOpa(['fmt', '--list', 'policies']).stdout).toBe('');
});
