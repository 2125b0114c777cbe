// What types mean for masking: how equality folds a value, and which of several joined types is the narrowest.
import type { DataType } from './catalogue.js';
import type { CanonicalForm } from './plan.js';

/** From weak to strong: of joined columns the strongest holds, so that both ends fold alike. */
const forms: readonly CanonicalForm[] = ['text', 'float', 'numeric', 'bpchar', 'citext'];

export function toCanonicalForm(type: DataType): CanonicalForm {
  const scalar = toScalar(type);
  if (scalar.kind !== 'base' && scalar.kind !== 'domain') return 'text';
  if (scalar.base === 'citext' || scalar.base === 'bpchar' || scalar.base === 'numeric') return scalar.base;
  return scalar.base === 'float4' || scalar.base === 'float8' ? 'float' : 'text';
}

export function toJoinedForm(types: readonly DataType[]): CanonicalForm {
  return forms[Math.max(0, ...types.map((type) => forms.indexOf(toCanonicalForm(type))))] ?? 'text';
}

/** The scalar that a transform sees: the element of an array, however deep. */
export function toScalar(type: DataType): DataType {
  return type.element ? toScalar(type.element) : type;
}

const WIDTHS: Readonly<Record<string, number>> = { int2: 5, int4: 10, oid: 10, int8: 19, numeric: 131072, float4: 131073, float8: 131074 };

/** How much a type holds, to compare types of one family: digits or characters. */
function toRoom(type: DataType): number {
  if (type.precision !== undefined) return type.precision - (type.scale ?? 0);
  if (type.length !== undefined) return type.length;
  return type.base === 'name' ? 63 : (WIDTHS[type.base] ?? Number.MAX_SAFE_INTEGER);
}

/** The type that holds least; ties go to the first by name, so that the answer does not depend on order. */
export function toNarrowest(types: readonly DataType[]): DataType | undefined {
  return [...types].sort((a, b) => toRoom(a) - toRoom(b) || (a.display < b.display ? -1 : a.display > b.display ? 1 : 0))[0];
}

/** A value below json, hstore or xml: its type is found out at run time, its text is what a transform gets. */
export const looseText: DataType = { display: 'text', kind: 'base', base: 'text', deterministicCollation: true };
export const rowPlace: DataType = { display: 'tid', kind: 'base', base: 'tid', deterministicCollation: true };
