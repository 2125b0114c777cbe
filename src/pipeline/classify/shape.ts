// Which types hold paths, and what a claim means for each: a scalar has one tag; an array one for its elements; composites list their attributes;
// json, jsonb, hstore and xml can hold anything, so that only listed paths are known.
import type { DataType } from '../catalogue.js';

export type Shape = 'scalar' | 'array' | 'composite' | 'open';

const OPEN = new Set(['json', 'jsonb', 'hstore', 'xml']);

export function toShape(type: DataType): Shape {
  // A domain over an array or a composite has the element or the attributes of the type under it.
  if (type.kind === 'array' || type.element !== undefined) return 'array';
  if (type.kind === 'composite' || type.attributes !== undefined) return 'composite';
  return (type.kind === 'base' || type.kind === 'domain') && OPEN.has(type.base) ? 'open' : 'scalar';
}

/** Does the type, at any depth, hold something whose paths the catalogue does not know? */
export function isOpen(type: DataType): boolean {
  if (toShape(type) === 'open') return true;
  if (type.element && isOpen(type.element)) return true;
  return (type.attributes ?? []).some((attribute) => isOpen(attribute.type));
}

export interface Leaf {
  readonly path: string;
  /** Absent below json, hstore and xml, where types are found out at run time. */
  readonly type?: DataType;
}

/** The paths that the type itself has: attributes and elements. An open part ends in a leaf without type, under which any path may stand. */
export function toLeaves(type: DataType, path = ''): readonly Leaf[] {
  switch (toShape(type)) {
    case 'array':
      return type.element ? toLeaves(type.element, `${path}[]`) : [{ path: `${path}[]` }];
    case 'composite':
      return (type.attributes ?? []).flatMap(({ name, type: below }) =>
        toLeaves(below, path === '' ? toPathKey(name) : `${path}.${toPathKey(name)}`),
      );
    case 'open':
      return [{ path }];
    case 'scalar':
      return [{ path, type }];
  }
}

/** A key as it stands in a path: quoted when it holds what a path gives a meaning to. */
export function toPathKey(key: string): string {
  return /^[^.[\]"\s]+$/.test(key) ? key : `"${key.replaceAll('"', '""')}"`;
}

const KEY = '(?:"(?:[^"]|"")+"|[^.\\[\\]"\\s]+)';
const PATH = new RegExp(`^(?:(?:\\[\\])+|${KEY}(?:\\[\\])*)(?:\\.${KEY}(?:\\[\\])*)*$`);

/** `contact.email`, `items[].name`, `[]`, `[].phone`. */
export function isPath(text: string): boolean {
  return PATH.test(text);
}

/** The type at a path of this type: undefined when the type has no such path, `{}` when it is below an open part. */
export function findAtPath(type: DataType, path: string): { readonly type?: DataType } | undefined {
  for (const leaf of toLeaves(type)) {
    if (leaf.path === path) return leaf.type ? { type: leaf.type } : {};
    const below = leaf.path === '' || path.startsWith(`${leaf.path}.`) || path.startsWith(`${leaf.path}[]`);
    if (!leaf.type && below) return {};
  }
  return undefined;
}
