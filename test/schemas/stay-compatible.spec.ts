// Whoever reads events was written for the forms of the last release: what is written now he can read.
import { readFileSync, readdirSync } from 'node:fs';

import { expect, it } from '@jest/globals';

import { eventSchemas } from '../../src/cli/event-schemas.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { findBreaks } from '../support/find-breaks.js';

type Schema = Record<string, unknown>;
const folder = packageFile('test', 'schemas', 'last-release');
const last = readdirSync(folder).filter((name) => name.endsWith('.json'));
const read = (name: string): Schema => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as Schema;
const majorOf = (schema: object | undefined): string =>
  /schema\/(\d+)-/.exec(String((schema as Schema | undefined)?.['$id']))?.[1] ?? 'none';

it('knows the forms of the last release', () => expect(last.length).toBeGreaterThanOrEqual(5));

it.each(last)('%s can be read by who was written for the last release, or its first number is another one', (name) => {
  const [before, after] = [read(name), eventSchemas[name]];
  if (majorOf(before) === majorOf(after)) expect(findBreaks(before, after)).toEqual([]);
});

it('is told each thing that would break a reader', () => {
  for (const name of last) {
    const whole = read(name);
    expect(findBreaks(whole, structuredClone(whole))).toEqual([]);
    // Each member taken away, each requirement lifted, each type changed, each list of words made longer: one at a time, wherever it stands.
    const changed = toMutants(whole);
    if (whole['type'] === 'object') expect(changed.length).toBeGreaterThan(3);
    for (const { what, schema } of changed) expect([name, what, findBreaks(whole, schema).length > 0]).toEqual([name, what, true]);
  }
});

it('is not told of what only adds', () => {
  const before = { type: 'object', required: ['a'], properties: { a: { enum: ['x', 'y'] } } };
  const after = { type: 'object', required: ['a', 'b'], properties: { a: { enum: ['x'] }, b: { type: 'string' } } };
  expect(findBreaks(before, after)).toEqual([]);
  expect(findBreaks(after, before)).not.toEqual([]);
});

function toMutants(whole: Schema): { what: string; schema: Schema }[] {
  const mutants: { what: string; schema: Schema }[] = [];
  const visit = (path: readonly (string | number)[], node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const mutate = (what: string, change: (copy: Schema) => void): void => {
      const schema = structuredClone(whole);
      change(path.reduce<Schema>((at, key) => at[key] as Schema, schema));
      mutants.push({ what: `${path.join('/')} ${what}`, schema });
    };
    const { properties, required, type, enum: words } = node as Schema;
    // The condition that says which type of event is meant is no form.
    if (path.at(-1) === 'if') return;
    for (const name of Object.keys(properties ?? {})) mutate(`without ${name}`, (copy) => delete (copy['properties'] as Schema)[name]);
    for (const name of (required ?? []) as string[])
      mutate(`${name} not required`, (copy) => (copy['required'] = (copy['required'] as string[]).filter((one) => one !== name)));
    if (typeof type === 'string') mutate('of another type', (copy) => (copy['type'] = 'boolean' === type ? 'string' : 'boolean'));
    if (Array.isArray(words)) mutate('one more word', (copy) => (copy['enum'] = [...(words as string[]), 'more']));
    for (const [key, member] of Object.entries(node)) visit([...path, key], member);
  };
  visit([], whole);
  return mutants;
}
