// json.patch: RFC 6902 over Rego values, sets included; an operation that does not fit leaves no result.
import { equal, Num, RegoObject, RegoSet, type Value } from '../value.js';
import type { Family } from './builtin.js';
import { arrayOf, isArray, objectOf, present, textOf, unfit } from './operand.js';

type Path = readonly Value[];

/** A pointer, or the segments themselves. */
function parsePath(value: Value | undefined): Path {
  if (isArray(value)) return value;
  const text = textOf(value);
  if (text === '') return [];
  return text
    .replace(/^\/+/, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The index that a segment is; `-` is the place after the last. */
function indexOf(segment: Value, length: number): number {
  const text = segment instanceof Num ? segment.literal : textOf(segment);
  if (text === '-') return length;
  return /^(?:0|[1-9]\d{0,8})$/.test(text) ? Number(text) : unfit();
}

function find(value: Value, path: Path): Value {
  let at = value;
  for (const segment of path) at = present(findChild(at, segment));
  return at;
}

function findChild(value: Value, segment: Value): Value | undefined {
  if (value instanceof RegoObject) return value.get(segment);
  if (value instanceof RegoSet) return value.has(segment) ? segment : undefined;
  return isArray(value) ? value[indexOf(segment, value.length)] : undefined;
}

/** With what `change` makes of the container that the path's last segment is in. */
function alter(value: Value, path: Path, change: (container: Value, segment: Value) => Value): Value {
  const [segment, ...rest] = path;
  if (segment === undefined) return unfit();
  if (rest.length === 0) return change(value, segment);
  const child = present(findChild(value, segment));
  const changed = alter(child, rest, change);
  if (value instanceof RegoSet) return new RegoSet([...value.sorted().filter((item) => !equal(item, segment)), changed]);
  if (value instanceof RegoObject) return new RegoObject([...value.entries(), [segment, changed]]);
  const items = [...arrayOf(value)];
  items[indexOf(segment, items.length)] = changed;
  return items;
}

function insert(value: Value, path: Path, item: Value): Value {
  if (path.length === 0) return item;
  return alter(value, path, (container, segment) => {
    if (container instanceof RegoObject) return new RegoObject([...container.entries(), [segment, item]]);
    if (container instanceof RegoSet) return equal(segment, item) ? new RegoSet([...container.sorted(), item]) : unfit();
    const items = arrayOf(container);
    const at = indexOf(segment, items.length);
    return at <= items.length ? items.toSpliced(at, 0, item) : unfit();
  });
}

function remove(value: Value, path: Path): Value {
  return alter(value, path, (container, segment) => {
    if (findChild(container, segment) === undefined) return unfit();
    if (container instanceof RegoObject) return new RegoObject(container.entries().filter(([key]) => !equal(key, segment)));
    if (container instanceof RegoSet) return new RegoSet(container.sorted().filter((item) => !equal(item, segment)));
    const items = arrayOf(container);
    return items.toSpliced(indexOf(segment, items.length), 1);
  });
}

function apply(value: Value, operation: RegoObject): Value {
  const path = parsePath(operation.get('path'));
  const given = (): Value => present(operation.get('value'));
  const from = (): Path => parsePath(operation.get('from'));
  switch (textOf(operation.get('op'))) {
    case 'add':
      return insert(value, path, given());
    case 'remove':
      return remove(value, path);
    case 'replace':
      return path.length === 0 ? given() : insert(remove(value, path), path, given());
    case 'move': {
      const moved = find(value, from());
      return insert(remove(value, from()), path, moved);
    }
    case 'copy':
      return insert(value, path, find(value, from()));
    case 'test':
      return equal(find(value, path), given()) ? value : unfit();
    default:
      return unfit();
  }
}

export const jsonPatchBuiltins: Family = {
  'json.patch': ([value = null, operations]) =>
    arrayOf(operations).reduce((patched, operation) => apply(patched, objectOf(operation)), value),
};
