import { expect, it } from '@jest/globals';

import { toFieldValue } from '../pipeline/report/in-force.js';
import { type Applied, toDeclared } from './declared.js';

const period = { from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z' };
const version = (appliedAt: string | null, members: object, kind = 'Organisation'): Applied => ({
  ...{ kind, name: 'acme', appliedAt },
  document: { legalName: 'Acme GmbH', acts: 'controller', contact: 'a@acme.example', ...members },
});
const contactOf = (versions: readonly Applied[]): string | null =>
  toFieldValue(toDeclared(versions, period).organisation, ({ contact }) => contact);

it('prints a value that held all the time without a date', () => {
  expect(contactOf([version(null, {})])).toBe('a@acme.example');
  expect(contactOf([version('2025-06-01T00:00:00.000Z', {}), version('2026-02-01T00:00:00.000Z', { contact: 'b' })])).toBe(
    'a@acme.example',
  );
});

it('prints from when to when each value held that changed in the period', () => {
  const versions = [version('2026-01-10T08:00:00.000Z', { contact: 'b' }), version('2025-06-01T00:00:00.000Z', {})];
  expect(contactOf(versions)).toBe('a@acme.example (until 2026-01-10T08:00:00.000Z); b (from 2026-01-10T08:00:00.000Z)');
});

it('does not believe a later version of an earlier time: before the first one it is unknown', () => {
  expect(contactOf([version('2026-01-10T08:00:00.000Z', {})])).toBe(
    'unknown (until 2026-01-10T08:00:00.000Z); a@acme.example (from 2026-01-10T08:00:00.000Z)',
  );
  expect(contactOf([version('2026-02-01T00:00:00.000Z', {})])).toBeNull();
});

it('tells no change where a version says the same of a field', () => {
  const versions = [version('2025-06-01T00:00:00.000Z', {}), version('2026-01-10T08:00:00.000Z', { representative: 'r' })];
  expect(contactOf(versions)).toBe('a@acme.example');
  expect(toFieldValue(toDeclared(versions, period).organisation, ({ representative }) => representative)).toBe(
    'unknown (until 2026-01-10T08:00:00.000Z); r (from 2026-01-10T08:00:00.000Z)',
  );
});

it('keeps the versions of each pipeline by its name', () => {
  const { pipelines } = toDeclared([version('2025-06-01T00:00:00.000Z', { purpose: 'tests' }, 'Pipeline')], period);
  expect(pipelines['acme']).toEqual([
    expect.objectContaining({ from: null, to: null, value: expect.objectContaining({ purpose: 'tests' }) }),
  ]);
});
