// Every stage, and every transform, fails on a canary: what the run says of it, writes of it and sends to the target holds none.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { transforms } from '../../src/pipeline/mask/mask.js';
import type { RunSummary } from '../../src/pipeline/report/report.js';
import { stages } from '../../src/pipeline/stages.js';
import { Refused, applyTransform, toDataType } from '../support/apply-transform.js';
import { type SmallShop, nothing, startProcess, startSmallShop } from '../support/small-shop.js';
import { toUrl } from '../support/target-world.js';
import { loadVectors } from '../support/vectors.js';
import { canaries, findNeedles, needles, plantCanaries } from './canaries.js';
import type { Order } from './failing-runs.js';
import { stageFaults } from './faults.js';
import { findInFolder } from './needles.js';

let shop: SmallShop;
let temporary: string;
const child = fileURLToPath(new URL('failing-runs.js', import.meta.url));

beforeAll(async () => {
  shop = await startSmallShop({
    target: { settings: { log_statement: 'all', log_min_duration_statement: '0', log_parameter_max_length: '-1' } },
  });
  await plantCanaries(shop);
  temporary = join(shop.folder, 'temporary');
}, 60_000);
afterAll(() => shop.stop());

interface Told {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
  readonly summary: RunSummary;
}

/** What each order said. */
async function carryOut(orders: readonly Order[]): Promise<Record<string, Told>> {
  const file = join(shop.folder, 'orders.json');
  writeFileSync(file, JSON.stringify(orders));
  const { code, stdout, stderr } = await startProcess([child, file], shop.folder, { ...shop.environment, TMPDIR: temporary }).ended;
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const cut = (text: string): string[] => text.split(/^# .*\n/m).slice(1);
  const [said, wrote] = [cut(stdout), cut(stderr)];
  return Object.fromEntries(
    orders.map(({ name }, i) => {
      const [json = '', last = ''] = (said[i] ?? '').split('\n');
      return [
        name,
        { stdout: said[i] ?? '', stderr: wrote[i] ?? '', code: Number(last.replace('exit ', '')), summary: JSON.parse(json) as RunSummary },
      ];
    }),
  );
}

function expectNoLeak(told: Readonly<Record<string, Told>>): void {
  for (const [name, { stdout, stderr }] of Object.entries(told))
    expect({ name, stdout: findNeedles(stdout), stderr: findNeedles(stderr), stack: stderr.includes('    at ') }).toEqual({
      ...{ name, stdout: [], stderr: [], stack: false },
    });
  expect(findInFolder(needles, shop.home, 'keys')).toEqual([]);
  expect(findInFolder(needles, temporary)).toEqual([]);
  expect(findNeedles(readFileSync(shop.target.logFile))).toEqual([]);
}

describe('every stage', () => {
  const faults = [...Object.keys(stageFaults), 'classify scans'];
  let told: Record<string, Told>;
  beforeAll(async () => {
    told = await carryOut(faults.map((stage) => ({ name: stage, file: shop.pipeline, environment: {}, stage })));
  }, 120_000);

  it('is made to fail', () => {
    expect(stages.filter((stage) => !faults.some((fault) => fault.startsWith(stage)))).toEqual([]);
    expect(Object.values(told).filter(({ code }) => code === 0)).toEqual([]);
  });

  it('names a code, an exit code and what to do, and nothing of the error that it met', () => {
    expectNoLeak(told);
    for (const [name, { stderr, code, summary }] of Object.entries(told)) {
      const state = { 'gate decides': 'denied', 'report sums up': 'published' }[name] ?? 'failed';
      expect({ name, code, state: summary.state }).toEqual({ name, code: state === 'denied' ? 2 : 1, state });
      expect({ name, stderr }).toEqual({
        name,
        stderr: expect.stringMatching(state === 'denied' ? /GATE_UNDECIDED/ : /error: [A-Z_]+: .+\nhint: {2}.+/),
      });
    }
  });

  it('that fails after the publication says that there was one, and names the dataset', async () => {
    expect(told['report sums up']?.summary).toMatchObject({
      state: 'published',
      dataset: { target: 'shop_dev', version: 1 },
      error: { code: 'AFTER_PUBLICATION' },
    });
    expect(await shop.published()).toBeDefined();
    await shop.target.sql('postgres', 'DROP DATABASE shop_dev');
  });

  it('leaves nothing at the target', async () => {
    expect((await shop.bauta(['doctor', '-f', shop.pipeline, '--fix'])).code).toBe(0);
    expect(await shop.traces()).toEqual(nothing);
  });
});

describe('every transform', () => {
  const word = canaries.firstName;
  const amount = '731044852296177';
  /** With these they refuse a word. */
  const choosy: Readonly<Record<string, object>> = { ip: { space: 'documentation' }, secret: { kind: 'password-hash' } };
  /** The transform's own parameters and a type of text, if it takes any, from its vectors. */
  const cases = transforms.map((transform) => {
    const all = loadVectors(transform.name);
    const vectors = all.find(({ type }) => type === 'text') ?? all[0];
    const text = vectors?.type === 'text';
    return { transform, text, params: { ...vectors?.params, ...choosy[transform.name] } };
  });
  const refuses = ({ transform, text, params }: (typeof cases)[number]): boolean => {
    try {
      applyTransform(transform, [text ? word : amount], { params, type: toDataType(text ? 'text' : 'int8'), key: '00'.repeat(32) });
      return false;
    } catch (error) {
      if (error instanceof Refused) return true;
      throw error;
    }
  };
  const refusing = cases.filter(refuses).map(({ transform }) => transform.name);
  let told: Record<string, Told>;

  beforeAll(async () => {
    await shop.source.create('refusals');
    await shop.source.sql(
      'refusals',
      `CREATE TABLE public.person (id int PRIMARY KEY, word text, amount int8);
       INSERT INTO public.person SELECT i, CASE i WHEN 40 THEN '${word}' END, CASE i WHEN 40 THEN ${amount} END FROM generate_series(1, 50) i;
       GRANT SELECT ON public.person TO bauta_source; ANALYZE`,
    );
    const environment = { SOURCE_URL: toUrl(shop.source.url('refusals'), 'bauta_source') };
    const orders = cases.map(({ transform: { name }, text, params }): Order => {
      const file = join(shop.folder, `${name}.yaml`);
      writeFileSync(file, toDocuments(name, text, params));
      return { name, file, environment, gateOpen: true, ...(refusing.includes(name) ? {} : { transform: name }) };
    });
    told = await carryOut(orders);
  }, 240_000);

  it('is made to fail: by a value that it refuses where there is one, else by throwing what it was given', () => {
    expect(refusing).toEqual(expect.arrayContaining(['date-of-birth', 'date-shift', 'integer-key', 'ip', 'mac', 'pan', 'secret', 'uuid']));
    for (const { transform } of cases) {
      const code = refusing.includes(transform.name) ? 'MASK_VALUE_REFUSED' : transform.name === 'keep' ? 'UNEXPECTED' : 'MASK_DEFECT';
      expect({ name: transform.name, told: told[transform.name] }).toMatchObject({
        name: transform.name,
        told: { code: 1, stderr: expect.stringContaining(`error: ${code}:`), summary: { state: 'failed', dataset: null } },
      });
    }
  });

  it('leaves its value where it is', async () => {
    expectNoLeak(told);
    const amounts = Object.values(told).filter(({ stdout, stderr }) => (stdout + stderr).includes(amount));
    expect(amounts).toEqual([]);
    expect(readFileSync(shop.target.logFile, 'utf8')).not.toContain(amount);
    expect(await shop.traces()).toEqual(nothing);
  });
});

function toDocuments(name: string, text: boolean, params: object): string {
  const [tagged, kept] = text ? ['word', 'amount'] : ['amount', 'word'];
  return `kind: Pipeline
name: refusals
source: { connection: env:SOURCE_URL, region: eu-central-1 }
target: { connection: env:TARGET_URL, environment: dev, class: dev, region: eu-central-1, allows: [pii, quasi] }
classification: refusals
purpose: tests of what goes wrong
owner: team-shop
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 30
overrides:
  - { columns: [public.person.${tagged}], reason: a test of one transform, transform: ${/^(null)$/.test(name) ? `"${name}"` : name}, params: ${JSON.stringify(params)}, expires: 2199-12-31 }
---
kind: Classification
name: refusals
tables:
  public.person:
    person: true
    columns: { id: pii.key, ${tagged}: ${text ? 'pii.free-text' : 'quasi.amount'} }
    keep:
      - { columns: [${kept}], reason: not what this test is about }
`;
}
