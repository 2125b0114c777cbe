import { describe, expect, it } from '@jest/globals';

import type { Catalogue, RoutineObject, SchemaObject } from '../../../pipeline/catalogue.js';
import { findSwapped, toOwnLabel, toPlaces } from './places.js';
import { toLiterals } from './refusals.js';
import { hasTextBody, toStub } from './stub.js';

const runId = '0123456789abcdef';

describe('places', () => {
  it('fit a name of the server, and stay apart where names begin alike and where they have many bytes', () => {
    const names = [`${'a'.repeat(60)}_1`, `${'a'.repeat(60)}_2`, 'ü'.repeat(31), 'public'];
    const { record, schemas } = toPlaces(runId, names);
    const places = [record, ...schemas.values()];
    expect(new Set(places).size).toBe(5);
    expect(Math.max(...places.map((name) => Buffer.byteLength(name)))).toBeLessThanOrEqual(63);
    expect(toPlaces(runId, [...names].reverse())).toEqual({ runId, record, schemas });
  });

  it('are labels that people know again, quoted or not', () => {
    const places = toPlaces(runId, ['Human Resources', 'shop']);
    expect(toOwnLabel(places, `constraint "Human Resources_bauta_${runId}_1"."Employee".key`)).toBe(
      'constraint "Human Resources"."Employee".key',
    );
    expect(toOwnLabel(places, `table shop_bauta_${runId}_2.t`)).toBe('table shop.t');
  });

  it('are for schemas that hold something else than an extension', () => {
    const object = (kind: string, schema: string): SchemaObject => ({ kind, schema, name: 'x' }) as unknown as SchemaObject;
    const schemas = ['empty', 'ext', 'mixed', 'public', 'shop'].map((name) => ({ name, comment: null }));
    const objects = [
      object('extension', 'ext'),
      object('extension', 'mixed'),
      object('enum', 'mixed'),
      object('cast', null as unknown as string),
    ];
    const tables = [{ schema: 'shop', name: 't' }] as unknown as Catalogue['tables'];
    expect(findSwapped({ schemas, tables, objects })).toEqual(['empty', 'mixed', 'shop']);
  });
});

describe('stubs', () => {
  const routine = (definition: string, body: string): RoutineObject => ({ kind: 'function', definition, body }) as unknown as RoutineObject;
  const head = `CREATE OR REPLACE FUNCTION s.f(a text DEFAULT 'AS $function$'::text)\n RETURNS int\n LANGUAGE sql\n IMMUTABLE\n`;

  it('keep name, arguments and settings, and nothing of a body that is text, whatever quotes it', () => {
    const text = routine(`${head}AS $functionx$SELECT '$function$'$functionx$`, `SELECT '$function$'`);
    expect(hasTextBody(text)).toBe(true);
    expect(toStub(text)).toMatchObject({ definition: `${head.replace('sql', 'plpgsql')}AS $stub$BEGIN RETURN NULL; END$stub$` });
  });

  it('nor of one that the server has bound', () => {
    const bound = routine(`${head}BEGIN ATOMIC\n SELECT 1;\nEND`, 'BEGIN ATOMIC\n SELECT 1;\nEND');
    expect(hasTextBody(bound)).toBe(false);
    expect(toStub(bound)).toMatchObject({ definition: `${head.replace('sql', 'plpgsql')}AS $stub$BEGIN RETURN NULL; END$stub$` });
  });

  it('of what is written otherwise there is none, and nothing of it runs', () => {
    expect(toStub(routine('CREATE FUNCTION s.f() SELECT 1', 'SELECT 2'))).toMatchObject({ definition: 'CREATE FUNCTION' });
  });
});

it('literals are what stands in quotes, and no name, no number of an object and no body', () => {
  expect(
    toLiterals(`("it's" = 'a''b'::text) AND (x <> E'c\\\\d') OR nextval('s.q'::regclass) > 1 OR ('s.q'::text)::regclass IS NULL`),
  ).toBe(`a''b\nc\\\\d\ns.q`);
});
