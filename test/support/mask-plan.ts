// Builds the part of a plan that the mask stage reads, and a key provider that needs no file.
import { createHmac } from 'node:crypto';

import type { Batch } from '../../src/pipeline/batch.js';
import type { DataType } from '../../src/pipeline/catalogue.js';
import { defineTransform, type Transform, transforms } from '../../src/pipeline/mask/mask.js';
import type { ColumnPlan, HiddenColumn, Plan, RulePlan, TablePlan } from '../../src/pipeline/plan.js';
import type { KeyProvider } from '../../src/pipeline/ports.js';

export function toType(base: string, more: Partial<DataType> = {}): DataType {
  return { display: base, kind: 'base', base, deterministicCollation: true, ...more };
}

export function toArrayType(element: DataType): DataType {
  return { ...element, display: `${element.display}[]`, kind: 'array', base: element.base, element };
}

export function toRule(transform: string, more: Partial<RulePlan> = {}): RulePlan {
  return {
    transform,
    params: {},
    scope: 'value',
    domain: 'test',
    canonical: 'text',
    reveals: [],
    uniqueness: 'preserved',
    ...(transforms.find(({ name }) => name === transform)?.reversible ? { reversible: true } : {}),
    ...more,
  };
}

export interface ColumnSketch {
  readonly name: string;
  readonly type?: DataType;
  readonly rule?: RulePlan;
  readonly tag?: string;
}

export function toPlan(columns: readonly ColumnSketch[], hidden: readonly HiddenColumn[] = [], name = 'person'): Plan {
  const table: TablePlan = {
    schema: 'public',
    name,
    oid: 1,
    kind: 'r',
    rows: 'all',
    columns: columns.map(toColumnPlan),
    hidden,
    loadInto: { schema: 'public', name },
  };
  return {
    workspace: 'default',
    environment: 'ci',
    keyVersion: 1,
    tokenKeyVersion: 1,
    facts: { target: {} },
    tables: [table],
  } as unknown as Plan;
}

function toColumnPlan({ name, type, rule, tag }: ColumnSketch, index: number): ColumnPlan {
  const transform = rule ?? toRule('keep');
  return {
    attnum: index + 1,
    name,
    type: type ?? toType('text'),
    notNull: false,
    tag: tag ?? (transform.transform === 'keep' ? 'none' : 'pii.test'),
    rule: transform,
    unique: false,
    from: 'document',
  };
}

export function toHidden(purpose: 'subject' | 'row', column: string, base = 'int8'): HiddenColumn {
  return { purpose, column, type: toType(base), via: [] };
}

export function toBatch(text: string | Uint8Array, place: Partial<Batch> = {}): Batch {
  return { table: 0, range: 0, sequence: 0, bytes: Uint8Array.from(Buffer.from(text)), ...place };
}

/** Keys from a pass phrase, by HMAC: the same label, version and phrase give the same key. */
export function createTestKeys(phrase = 'test'): Pick<KeyProvider, 'derive'> {
  return {
    derive: (label, version) => Promise.resolve(new Uint8Array(createHmac('sha256', phrase).update(`${version}\0${label}`).digest())),
  };
}

type Mapping = (value: string, draw: string) => string | null;

/** A transform of tests: text and draw (hex) to text; throws out a value for which it gives undefined. */
export function createTestTransform(name: string, map: Mapping, more: Partial<Transform> = {}): Transform {
  return defineTransform({
    name,
    summary: 'for tests',
    accepts: ['any'],
    params: {},
    scopes: ['value', 'subject', 'row'],
    uniqueness: 'not-guaranteed',
    reveals: [],
    space: () => 0n,
    laws: () => [],
    reversible: false,
    output: 'overlapping',
    plain: false,
    prepare: () => (column, context, out) => {
      const draws = context.draw();
      for (let row = 0; row < column.rows; row++) {
        const end = column.ends[row] as number;
        if (end === -1) {
          out.null(row);
          continue;
        }
        const value = Buffer.from(column.bytes.subarray(column.starts[row], end)).toString('utf8');
        if (value.includes('IMPOSSIBLE')) context.refuse(row);
        const result = map(value, Buffer.from(draws.subarray(16 * row, 16 * row + 16)).toString('hex'));
        const bytes = Buffer.from(result ?? '');
        if (result === null) out.null(row);
        else out.copy(row, bytes, 0, bytes.length);
      }
    },
    ...more,
  });
}

/** `draw`: the draw in hexadecimal; `same`: the value as it was given; `exclaim`: the value in brackets; and the registry's. */
export const testTransforms: readonly Transform[] = [
  ...transforms,
  createTestTransform('draw', (_, draw) => draw),
  createTestTransform('same', (value) => value),
  createTestTransform('exclaim', (value) => `<${value}>`),
];
