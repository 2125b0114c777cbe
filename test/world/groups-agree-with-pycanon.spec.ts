// k-anonymity, l-diversity and t-closeness, counted by the server, against PyPI pycanon on the same rows.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { packageFile } from '../../src/kernel/package-root.js';
import type { CheckPlan } from '../../src/pipeline/check.js';
import { CheckCounter } from '../../src/systems/postgres/checks/checks.js';
import { findProgram } from '../support/program.js';
import { type TestServer, startTestServer } from '../support/server.js';

/** It has no program of its own: this one lies in the same environment (.ci/run), whose Python has it. */
const beside = findProgram('aics-tlog');
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.create('measured');
});
afterAll(() => server.stop());

const row = fc.record({
  day: fc.integer({ min: 1, max: 6 }).map((n) => `2026-05-0${n}`),
  group: fc.integer({ min: 0, max: 3 }),
  number: fc.constantFrom(1, 2, 3, 5, 8, 13),
  illness: fc.constantFrom('flu', 'cold', 'asthma', 'none'),
});

(beside === undefined ? it.skip : it)('gives the figures that pycanon gives', async () => {
  const table = { schema: 'public', name: 'patient' };
  const of = { severity: 'warn', table, columns: ['day'] } as const;
  const checks: CheckPlan[] = [
    { ...of, name: 'k', kind: 'kAnonymity', columns: ['day', 'group'], min: 2 },
    { ...of, name: 'l', kind: 'lDiversity', sensitive: 'illness', min: 2 },
    { ...of, name: 'tOrdered', kind: 'tCloseness', sensitive: 'number', ordered: true, max: 0.2 },
    { ...of, name: 't', kind: 'tCloseness', sensitive: 'illness', ordered: false, max: 0.2 },
  ];
  const counter = new CheckCounter({ name: 'env:MEASURED', url: server.url('measured') }, { asOfMs: 0, timeoutMs: 20_000 });
  try {
    for (const rows of fc.sample(fc.array(row, { minLength: 30, maxLength: 300 }), { numRuns: 5, seed: 7 })) {
      const columns = rows.map(({ day, group, number, illness }) => `('${day}', ${group}, ${number}, '${illness}')`);
      await server.sql('measured', 'DROP TABLE IF EXISTS patient');
      await server.sql('measured', 'CREATE TABLE patient (day date, "group" int, number int, illness text)');
      await server.sql('measured', `INSERT INTO patient VALUES ${columns.join(', ')}`);
      const script = packageFile('test', 'oracle', 'pycanon', 'measure.py');
      const { stdout, stderr } = spawnSync(join(dirname(beside!), 'python3'), [script], { input: JSON.stringify(rows), encoding: 'utf8' });
      if (stdout === '') throw new Error(stderr);
      const theirs = JSON.parse(stdout) as Record<string, number>;
      const ours = await counter.count(checks);
      for (const [i, { name }] of checks.entries()) {
        const { figure = NaN } = ours[i] as { figure?: number };
        // Distances are rounded up to four digits here.
        expect([name, Math.abs(figure - (theirs[name] ?? NaN)) < 0.0001001]).toEqual([name, true]);
      }
    }
  } finally {
    await counter.close();
  }
});
