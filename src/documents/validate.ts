// A plain value against a schema: every problem at once, each with its line and the nearest valid word. The validator's own texts are dropped.
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';

import { type Json, toCanonicalJson } from '../kernel/canonical-json.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import { parsePointer } from '../kernel/json-pointer.js';
import { findNearest } from '../kernel/nearest.js';
import { toSafeWord } from './safe-word.js';
import type { Schema } from './schemas.js';
import type { Tree } from './yaml-tree.js';

const ajv = new Ajv2020({
  allErrors: true,
  verbose: true,
  strict: true,
  allowUnionTypes: true,
  strictRequired: false,
  strictTypes: false,
  ownProperties: true,
  logger: false,
  // Every schema here is our own and compiled in a test; compiling the schema of schemas first takes as long as the rest.
  validateSchema: false,
  // A command looks at a handful of small documents: two thirds of compiling went into making the validators fast.
  code: { optimize: false },
});
const compiled = new Map<string, ValidateFunction>();

function compile(schema: Schema): ValidateFunction {
  const key = toCanonicalJson(schema);
  const known = compiled.get(key);
  if (known) return known;
  const made = ajv.compile(schema);
  compiled.set(key, made);
  return made;
}

/** Does the value fit a JSON Schema (draft 2020-12)? For the parameters of transforms. */
export function fitsSchema(schema: Schema, value: Json): boolean {
  return compile(schema)(value);
}

export function validateTree(tree: Tree, schema: Schema, file: string): readonly Finding[] {
  const validate = compile(schema);
  if (validate(tree.value)) return [];
  return (validate.errors ?? []).flatMap((error) => toProblem(error, tree, file) ?? []);
}

/** The line of a pointer, or of the nearest member above it. */
export function toLine(lines: ReadonlyMap<string, number>, pointer: string): number {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
    const line = lines.get(at);
    if (line !== undefined) return line;
    if (at === '') return 1;
  }
}

/** A pointer as it may be shown: keys that could be data become `*`. */
export function toSafePath(pointer: string): string {
  return (
    parsePointer(pointer)
      .map((key) => (/^\d+$/.test(key) ? `[${Number(key) + 1}]` : toSafeWord(key)))
      .join('/') || 'the document'
  );
}

function toProblem(error: ErrorObject, tree: Tree, file: string): Finding | undefined {
  const pointer = error.instancePath;
  const where = { file, line: toLine(tree.lines, pointer), path: toSafePath(pointer) };
  const schema = (error.parentSchema ?? {}) as {
    properties?: Record<string, { description?: string }>;
    description?: string;
    enum?: string[];
  };
  const params = error.params as Record<string, string>;
  switch (error.keyword) {
    case 'if':
      return undefined;
    case 'additionalProperties': {
      const name = params['additionalProperty'] ?? '';
      const known = Object.keys(schema.properties ?? {});
      const line = toLine(tree.lines, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
      return toFinding('DOCUMENT_MEMBER_UNKNOWN', {
        ...where,
        line,
        name: toSafeWord(name),
        expected: findNearest(name, known) ?? known.join(', '),
      });
    }
    case 'required':
    case 'dependentRequired': {
      const name = params['missingProperty'] ?? '';
      return toFinding('DOCUMENT_MEMBER_MISSING', { ...where, name, expected: schema.properties?.[name]?.description ?? 'a value' });
    }
    case 'enum': {
      const near = typeof error.data === 'string' ? findNearest(error.data, schema.enum ?? []) : undefined;
      return toFinding('DOCUMENT_VALUE_INVALID', { ...where, expected: near ?? schema.description ?? 'another value' });
    }
    default:
      return toFinding('DOCUMENT_VALUE_INVALID', { ...where, expected: schema.description ?? 'another value' });
  }
}
