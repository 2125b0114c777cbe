// OPA's own test cases through the engine that decides here. What it gets wrong stands by name and reason in conformance-exceptions.yaml; nothing may be
// wrong that does not stand there, nothing may stand there that is right, and nothing may be true that is not true in OPA.
import { readFileSync } from 'node:fs';

import { expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { packageFile } from '../../src/kernel/package-root.js';
import { compiledCases, findCases } from './conformance/cases.js';
import { check } from './conformance/check.js';

const { exceptions } = parse(readFileSync(packageFile('test', 'policy', 'conformance-exceptions.yaml'), 'utf8')) as {
  exceptions: readonly { readonly reason: string; readonly cases: readonly string[] }[];
};
const folder = findCases();
const total = 2392;
const leastRight = 2250;

if (folder === undefined && process.env['BAUTA_WORLD'] === 'required') {
  it('runs the test cases of OPA', () => {
    throw new Error(
      'go, or the Go module github.com/open-policy-agent/opa@v1.22.0, is missing; go install github.com/open-policy-agent/opa@v1.22.0',
    );
  });
} else if (folder === undefined) {
  process.stderr.write('SKIPPED for want of go and the module of OPA: the test cases of OPA\n');
  it.skip('runs the test cases of OPA', () => undefined);
} else {
  it('answers as OPA does, with the exceptions that are listed', async () => {
    const listed = new Set(exceptions.flatMap(({ cases }) => cases));
    const wrong = new Map<string, string>();
    const tooMuch: string[] = [];
    let ran = 0;
    for await (const { one, wasm } of compiledCases(folder)) {
      ran++;
      const verdict = check(one, wasm);
      if (!verdict.right) wrong.set(one.note, verdict.why);
      if (verdict.tooMuch) tooMuch.push(one.note);
    }
    const unlisted = [...wrong].filter(([note]) => !listed.has(note));
    expect(unlisted).toEqual([]);
    expect([...listed].filter((note) => !wrong.has(note))).toEqual([]);
    expect(tooMuch).toEqual([]);
    expect(ran).toBe(total);
    expect(ran - wrong.size).toBeGreaterThanOrEqual(leastRight);
  }, 600_000);
}
