// Words in which the forms of outputs are written down.
import type { Json } from '../kernel/canonical-json.js';

export type Schema = { readonly [keyword: string]: Json };

export const text = (description: string): Schema => ({ type: 'string', description });
export const count = (description: string): Schema => ({ type: 'number', minimum: 0, description });
export const flag = (description: string): Schema => ({ type: 'boolean', description });
export const list = (items: Schema, description: string): Schema => ({ type: 'array', items, description });
export const oneOf = (...words: readonly string[]): Schema => ({ enum: words });
export const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });

export function object(required: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema {
  return { type: 'object', properties: { ...required, ...optional }, required: Object.keys(required), additionalProperties: false };
}
