// The laws of DESIGN §6 over the registry. Inputs come from inputs/<name>.ts; a transform without them, or without vectors, fails.
// Every random thing hangs on one seed, which is in the title of the suite: BAUTA_LAW_SEED=<seed> runs the same again.
import { existsSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { packageFile } from '../../src/kernel/package-root.js';
import { transforms } from '../../src/pipeline/mask/registry.js';
import type { Transform } from '../../src/pipeline/mask/transform.js';
import { Refused, applyTransform, toComparedForm, toDataType, withDefaults } from '../support/apply-transform.js';
import { fitsType } from '../support/fits-type.js';
import type { LawCase, LawInputs } from './inputs/law-inputs.js';
import { type Sample, dependence, expectedDistinct, sampleOf } from './sample.js';

const seed = Number(process.env['BAUTA_LAW_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const key = 'a1'.repeat(32);
const otherKey = 'b2'.repeat(32);
const runs = { seed, numRuns: 30 };

const cases: { name: string; transform: Transform; inputs: LawInputs }[] = [];
for (const transform of transforms) {
  const { name } = transform;
  const { inputs } = (await import(`./inputs/${name}.js`)) as { inputs: LawInputs };
  cases.push({ name, transform, inputs });
}

describe(`the laws, seed ${seed}`, () => {
  it('finds every transform once, in alphabetical order, each with vectors', () => {
    const names = transforms.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
    expect(names.filter((name) => !existsSync(packageFile('test', 'vectors', `${name}.json`)))).toEqual([]);
    expect(names.filter((name) => !existsSync(packageFile('src', 'pipeline', 'mask', 'transforms', `${name}.ts`)))).toEqual([]);
  });

  describe.each(cases)('$name', ({ transform, inputs }) => {
    it('declares what it is, and its defaults fit their schemas', () => expectDeclared(transform));

    it('calls a type that cannot hold the output a misfit, and no other', () => {
      const misfit = (each: Pick<LawCase, 'type' | 'params'>): string | undefined =>
        transform.misfit?.(toDataType(each.type), withDefaults(transform, each.params ?? {}));
      for (const each of inputs.cases) expect(misfit(each)).toBeUndefined();
      for (const each of inputs.misfits ?? []) expect(misfit(each)).toMatch(/\w/);
    });

    it('refuses what it cannot transform, and names the row', () => {
      for (const { type, params, value } of inputs.refused ?? []) {
        const values = [null, value];
        const attempt = (): unknown => applyTransform(transform, values, { key, type: toDataType(type), params: params ?? {} });
        expect(attempt).toThrow(new Refused(1));
      }
    });

    describe.each(inputs.cases.map((each, i) => ({ each, title: `${i}: ${each.type} ${JSON.stringify(each.params ?? {})}` })))(
      'case $title',
      ({ each }) => {
        it('keeps NULL, fits the type, and gives the same under the same key, however the batch is cut', () =>
          expectSteady(transform, each));
        it('keeps its promises about every output: produces, plain, one space of pseudonyms', () => expectOutputs(transform, each));
        it('gives other pseudonyms under another key, or the same if it is not keyed', () => expectKeyed(transform, each));
        it('is not the identity', () => expectNotIdentity(transform, each));
        it('keeps distinct what it promises to keep distinct, and has as many pseudonyms as it says', () => expectUnique(transform, each));
        it('reveals equality only as declared', () => expectEqualityAsDeclared(transform, each));
        it('reveals order, length, prefix, band, format and value only as declared', () => expectRevealsAsDeclared(transform, each));
      },
    );
  });
});

function expectDeclared(transform: Transform): void {
  expect(transform.name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
  expect(transform.summary).toMatch(/^[A-Z].*\.$/);
  expect(['preserved', 'not-guaranteed', 'lossy']).toContain(transform.uniqueness);
  expect(transform.scopes.length).toBeGreaterThan(0);
  expect(transform.accepts.length).toBeGreaterThan(0);
  if (transform.output === 'disjoint') expect('produces' in transform).toBe(true);
  if (transform.reveals.includes('equality') !== transform.reveals.includes('frequency'))
    throw new Error('what keeps equality keeps frequency, and the reverse');
  const ajv = new Ajv2020({ strict: false });
  for (const spec of Object.values(transform.params)) {
    expect(spec.doc).toMatch(/\w/);
    const validate = ajv.compile(spec.schema);
    if (spec.default !== undefined) expect(validate(spec.default)).toBe(true);
  }
}

function expectSteady(transform: Transform, each: LawCase): void {
  const type = toDataType(each.type);
  const row = fc.option(each.value, { freq: 6 });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 30 }), fc.array(fc.nat(5), { maxLength: 12 }), (values, batches) => {
      const whole = sampleOf(transform, each, key, values);
      whole.outputs.forEach((output, i) => {
        if (values[i] === null) expect(output).toBeNull();
        else if (output !== null) expect([output, fitsType(output, type)]).toEqual([output, true]);
      });
      expect(sampleOf(transform, each, key, values, batches).outputs).toEqual(whole.outputs);
      expect(sampleOf(transform, each, key, values).outputs).toEqual(whole.outputs);
    }),
    runs,
  );
}

function expectOutputs(transform: Transform, each: LawCase): void {
  const params = withDefaults(transform, each.params ?? {});
  fc.assert(
    fc.property(fc.array(each.value, { minLength: 1, maxLength: 30 }), (values) => {
      for (const output of sampleOf(transform, each, key, values).outputs) {
        if (output === null) continue;
        if (transform.output === 'disjoint') expect([output, transform.produces?.(Buffer.from(output), params)]).toEqual([output, true]);
        if (transform.plain) expect(output).not.toMatch(/[\u0000-\u001f\\]/);
      }
    }),
    runs,
  );
}

function expectKeyed(transform: Transform, each: LawCase): void {
  const values = draw(each, 200);
  const one = sampleOf(transform, each, key, values).outputs;
  const other = sampleOf(transform, each, otherKey, values).outputs;
  if (transform.keyed === false) return expect(other).toEqual(one);
  const same = one.filter((output, i) => output === other[i]).length;
  if (transform.output === 'kept') expect(same).toBeLessThan(values.length);
  else expect(same).toBeLessThan(values.length / 2);
}

function expectNotIdentity(transform: Transform, each: LawCase): void {
  if (transform.reveals.includes('value') && transform.keyed === false) return;
  const { inputs, outputs } = sampleOf(transform, each, key, draw(each, 200));
  const same = outputs.filter((output, i) => output === inputs[i]).length;
  expect(same).toBeLessThan(transform.output === 'kept' ? inputs.length : inputs.length / 2);
}

function expectUnique(transform: Transform, each: LawCase): void {
  const type = toDataType(each.type);
  const space = Number(transform.space(withDefaults(transform, each.params ?? {}), type));
  const values = distinct(draw(each, 12_000), each).slice(0, 10_000);
  if (transform.uniqueness === 'preserved') {
    // One run in a million may meet the collision that the declared bound n² / 2·space allows.
    const count = space === 0 ? values.length : Math.min(values.length, Math.floor(Math.sqrt(2e-6 * space)));
    const { outputs } = sampleOf(transform, each, key, values.slice(0, Math.max(1, count)));
    expect(distinct(outputs as string[], each).length).toBe(outputs.length);
  }
  if (space > 0 && transform.keyed !== false && transform.output !== 'kept') {
    const { outputs } = sampleOf(transform, each, key, values);
    expect(new Set(outputs).size).toBeGreaterThan(0.5 * expectedDistinct(space, values.length));
  }
}

function expectEqualityAsDeclared(transform: Transform, each: LawCase): void {
  const [scope] = transform.scopes;
  const declared = transform.reveals.includes('equality');
  if (scope === 'value' && !declared) {
    // A function of the value that hides equality is a constant.
    return expect(new Set(sampleOf(transform, each, key, draw(each, 200)).outputs).size).toBe(1);
  }
  for (const value of draw(each, 20)) {
    const same = sampleOf(transform, each, key, Array<string>(40).fill(value));
    const distinctOutputs = new Set(same.outputs).size;
    if (declared) expect(distinctOutputs).toBe(1);
    else if (distinctOutputs > 1) return;
  }
  if (!declared) throw new Error('equal inputs of different people always gave equal outputs, and equality is not declared');
}

function expectRevealsAsDeclared(transform: Transform, each: LawCase): void {
  const sample: Sample = sampleOf(transform, each, key, distinct(draw(each, 3000), each));
  const has = (...names: string[]): boolean => transform.reveals.some((name) => names.includes(name));
  const found: Record<string, number> = {};
  if (!has('value', 'prefix', 'band', 'order', 'length')) found['order'] = dependence(sample, 'order', each);
  if (!has('value', 'length', 'format')) found['length'] = dependence(sample, 'length', each);
  if (!has('value', 'prefix', 'band', 'order', 'format')) found['prefix'] = dependence(sample, 'prefix', each);
  if (!has('value', 'length', 'format', 'prefix', 'band')) found['format'] = dependence(sample, 'format', each);
  if (!has('value', 'prefix', 'band', 'order', 'format')) found['substring'] = dependence(sample, 'substring', each);
  for (const [name, sigmas] of Object.entries(found)) expect([name, sigmas < 7]).toEqual([name, true]);
  // What lets the value itself through may let its order through; only who lets order through and not the value promises it.
  if (has('order') && !transform.reveals.includes('format')) expectOrderKept(transform, each);
  // Without any of these the output is a function of the draw alone: another value for the same person changes nothing.
  if (transform.scopes[0] !== 'value' && !has('value', 'prefix', 'band', 'order', 'length', 'format', 'equality')) {
    const values = draw(each, 200);
    const turned = [...values.slice(1), values[0] as string];
    expect(sampleOf(transform, each, key, turned).outputs).toEqual(sampleOf(transform, each, key, values).outputs);
  }
}

function expectOrderKept(transform: Transform, each: LawCase): void {
  const type = toDataType(each.type);
  const values = draw(each, 200);
  const outputs = applyTransform(transform, values, { key, type, params: each.params ?? {}, seeds: values.map(() => 'one person') });
  const compare = (a: string, b: string): number =>
    /^(int|num|float)/.test(type.base) ? Number(a) - Number(b) : a < b ? -1 : Number(a > b);
  const byInput = values.map((value, i) => [value, outputs[i] as string] as const).sort((a, b) => compare(a[0], b[0]));
  for (let i = 1; i < byInput.length; i++) expect(compare(byInput[i - 1]![1], byInput[i]![1])).toBeLessThanOrEqual(0);
}

function draw(each: LawCase, count: number): string[] {
  return fc.sample(each.value, { seed, numRuns: count });
}

function distinct(values: readonly string[], each: LawCase): string[] {
  const type = toDataType(each.type);
  return [...new Map(values.map((value) => [toComparedForm(value, type), value])).values()];
}
