import { expect, it } from '@jest/globals';

import type { BautaError } from '../kernel/errors.js';
import { declarations, parseSettings } from './settings.js';

it('gives every setting its strict default', () => {
  expect(parseSettings({})).toEqual(Object.fromEntries(Object.entries(declarations).map(([name, { default: value }]) => [name, value])));
});

it('reports all problems together, with the nearest word and never the value', () => {
  try {
    parseSettings({ BAUTA_THREADS: 'many', BAUTA_HOMME: 'secret-value', BAUTA_BATCH_BYTES: '1', PATH: '/bin' });
    throw new Error('accepted');
  } catch (error) {
    const { code, findings } = error as BautaError;
    expect(code).toBe('SETTINGS_INVALID');
    expect(findings.map(({ code: c, where }) => [c, where.name, where.expected])).toEqual([
      ['SETTING_INVALID', 'BAUTA_THREADS', 'a whole number from 0 to 64, or auto'],
      ['SETTING_INVALID', 'BAUTA_BATCH_BYTES', 'a whole number from 4096 to 16777216'],
      ['SETTING_UNKNOWN', 'BAUTA_HOMME', 'BAUTA_HOME'],
    ]);
    expect(JSON.stringify(findings)).not.toContain('secret-value');
  }
});

it.each([
  ['BAUTA_PORT', 'BAUTA_HTTP_PORT'],
  ['BAUTA_HOST', 'BAUTA_HTTP_HOST'],
  ['BAUTA_LEVEL', 'BAUTA_LOG_LEVEL'],
  ['BAUTA_HTTP_POTR', 'BAUTA_HTTP_PORT'],
  ['BAUTA_DATABASE', 'one of docs/configuration.md'],
  ['BAUTA_PORT_4280_TCP', 'one of docs/configuration.md'],
])('takes %s for %s', (name, expected) => {
  expect(() => parseSettings({ [name]: '1' })).toThrow(
    expect.objectContaining({ findings: [expect.objectContaining({ where: expect.objectContaining({ name, expected }) })] }),
  );
});

it('takes every whole number that it says it takes, the first and the last', () => {
  for (const [name, { expected }] of Object.entries(declarations)) {
    const [, ...ends] = /a whole number from (\d+) to (\d+)/.exec(expected) ?? [];
    for (const end of ends) expect([name, parseSettings({ [name]: end })[name as keyof typeof declarations]]).toEqual([name, Number(end)]);
  }
});

it('leaves connections and the tests’ own variable alone', () => {
  expect(() => parseSettings({ BAUTA_CONN_SHOP: 'postgres://x', BAUTA_WORLD: 'required' })).not.toThrow();
});
