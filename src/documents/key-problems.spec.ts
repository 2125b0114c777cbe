import { expect, it } from '@jest/globals';

import type { Definition, KeysDefinition } from '../pipeline/definition.js';
import { findKeyProblems } from './key-problems.js';

const environment = (name: string, keys?: KeysDefinition): Definition =>
  ({ kind: 'Environment', name, ...(keys ? { keys } : {}) }) as unknown as Definition;
const pipeline = (name: string, of: string, keys?: KeysDefinition): Definition =>
  ({ kind: 'Pipeline', name, target: { environment: of, ...(keys ? { keys } : {}) } }) as unknown as Definition;
const join = (to: string): KeysDefinition => ({ join: { environment: to, reason: 'tested as one system' } });
const codes = (...definitions: Definition[]): string[] => findKeyProblems(definitions).map(({ code, where }) => `${code} ${where.file}`);

it('lets environments join one that has keys of its own', () => {
  expect(codes(environment('a'), environment('b', join('a')), environment('c', join('a')), pipeline('p', 'd', join('a')))).toEqual([]);
});

it('refuses a chain, a circle, and who joins itself', () => {
  expect(codes(environment('a', join('b')), environment('b', join('c')), environment('c'))).toEqual(['KEYS_JOIN_CHAIN Environment a']);
  expect(codes(environment('a', join('b')), environment('b', join('a')))).toEqual([
    'KEYS_JOIN_CHAIN Environment a',
    'KEYS_JOIN_CHAIN Environment b',
  ]);
  expect(codes(pipeline('p', 'a', join('a')))).toEqual(['KEYS_JOIN_CHAIN Pipeline p']);
  expect(codes(environment('a', join('b')), pipeline('p', 'b', join('c')))).toEqual(['KEYS_JOIN_CHAIN Environment a']);
});

it('refuses two that share their pseudonyms and keep another version', () => {
  const previous = { version: 1, until: '2027-01-31' };
  expect(codes(environment('a', { previous }), environment('b', join('a')))).toEqual(['KEYS_JOIN_VERSION Environment b']);
  expect(codes(environment('a', { previous }), environment('b', { ...join('a'), previous }))).toEqual([]);
});

it('refuses pipelines that say two things of one environment', () => {
  expect(codes(pipeline('p', 'a'), pipeline('q', 'a', join('b')))).toEqual([
    'KEYS_CONTRADICTION Pipeline p',
    'KEYS_CONTRADICTION Pipeline q',
  ]);
  expect(codes(pipeline('p', 'a'), pipeline('q', 'a'))).toEqual([]);
});

it('refuses a day that the calendar does not have', () => {
  expect(codes(environment('a', { previous: { version: 1, until: '2026-02-31' } }))).toEqual(['DOCUMENT_VALUE_INVALID Environment a']);
});

it('refuses to join tokens of which a domain has another form there, and minds nothing where tokens are not joined', () => {
  const cards = (more: object): object => ({ tokens: { cards: { form: 'card', reason: 'r', sources: [], ...more } } });
  const a = { ...environment('a'), ...cards({}) };
  const b = (keys: KeysDefinition, more: object): Definition => ({ ...environment('b', keys), ...cards(more) });
  const tokens: KeysDefinition = { join: { environment: 'a', reason: 'tested as one system', tokens: true } };
  expect(codes(a, b(tokens, { vaulted: true }))).toEqual(['KEYS_JOIN_TOKENS Environment b']);
  expect(codes(a, b(tokens, { separators: ' -', sources: ['1/shop'] }))).toEqual([]);
  expect(codes(a, b(join('a'), { vaulted: true }))).toEqual([]);
});
