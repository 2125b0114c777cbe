// Columns that hold many values: json, jsonb, hstore, xml, composites and arrays. All values at one path of a batch become one column, its rule runs
// once, and the results go back to where the originals stood. What no path names is refused, left out or kept, as `rest` says.
import { toError } from '../../../kernel/errors.js';
import type { DataType } from '../../catalogue.js';
import type { RulePlan } from '../../plan.js';
import { type ColumnRunner, leafType } from '../column-runner.js';
import type { Identity } from '../seed.js';
import { ArrayFormat } from './array-format.js';
import { CompositeFormat } from './composite-format.js';
import type { Format, Slot } from './format.js';
import { HstoreFormat } from './hstore-format.js';
import { JsonRunner, type JsonSetting } from './json-runner.js';
import { Leaves } from './leaves.js';
import { formatPath, parsePath, type Segment, type ShowKey, showXmlName } from './path.js';
import { StructuredRunner } from './structured-runner.js';
import { createXmlTrie, XmlFormat } from './xml-format.js';

export { formatPath, parsePath, type Segment, type ShowKey, showPath, showPlainKey } from './path.js';

export interface StructureOptions {
  readonly showKey: ShowKey;
  /** The runner of what stands at a path. */
  make(type: DataType, rule: RulePlan, path: string): ColumnRunner;
}

type Paths = NonNullable<RulePlan['paths']>;
type StructuredRule = RulePlan & { readonly paths: Paths };
type Structure = 'json' | 'array' | 'hstore' | 'xml' | 'composite';

/** What of paths a type has; undefined where a value is one. */
export function toStructure(type: DataType): Structure | undefined {
  if (type.kind === 'array' || type.element) return 'array';
  if (type.attributes) return 'composite';
  if (type.base === 'json' || type.base === 'jsonb') return 'json';
  return type.base === 'hstore' || type.base === 'xml' ? type.base : undefined;
}

/** The path that this type cannot have, as the document writes it; undefined where all lead somewhere. */
export function findPathMisfit(type: DataType, paths: Readonly<Record<string, unknown>>): string | undefined {
  const structure = toStructure(type);
  return Object.keys(paths).find((path) => {
    const segments = parsePath(path);
    if (!segments || !structure) return true;
    const [first, ...others] = segments;
    if (structure === 'json') return false;
    if (first === undefined) return true;
    if (structure === 'hstore') return first === null || others.length > 0;
    if (structure === 'xml') return segments.includes(null) || segments.slice(0, -1).some((name) => name !== null && /^[@#]/.test(name));
    const inner =
      structure === 'array' ? (first === null ? type.element : undefined) : type.attributes?.find(({ name }) => name === first)?.type;
    if (!inner) return true;
    return others.length > 0 && findPathMisfit(inner, { [formatPath(others)]: true }) !== undefined;
  });
}

/** MUST be given paths that fit the type (`findPathMisfit`); throws MASK_PATHS_UNSUPPORTED otherwise. */
export function createStructuredRunner(type: DataType, rule: StructuredRule, identity: Identity, options: StructureOptions): ColumnRunner {
  const misfit = findPathMisfit(type, rule.paths);
  if (misfit !== undefined) throw toError('MASK_PATHS_UNSUPPORTED', { ...identity, path: misfit, type: type.display });
  const above = parsePath(identity.path) ?? [];
  const { showKey } = options;
  const rest = rule.rest ?? 'refuse';
  const make = (inner: DataType, innerRule: RulePlan, segments: readonly Segment[]): ColumnRunner =>
    options.make(inner, innerRule, formatPath([...above, ...segments]));
  if (toStructure(type) === 'json') return createJsonRunner(rule.paths, make, { rest, above, showKey });
  const slots: { slot: Slot; runner: ColumnRunner }[] = [];
  const toSlot = (inner: DataType, innerRule: RulePlan, segments: readonly Segment[]): Slot => {
    const slot = { index: slots.length, kept: isKept(innerRule), leaves: new Leaves() };
    slots.push({ slot, runner: make(inner, innerRule, segments) });
    return slot;
  };
  const format = createFormat(type, rule, toSlot);
  const show: ShowKey = toStructure(type) === 'xml' ? (name) => showXmlName(name, showKey) : showKey;
  return new StructuredRunner(format, slots, rest, above, show);
}

type ToSlot = (type: DataType, rule: RulePlan, segments: readonly Segment[]) => Slot;
type ToRunner = (type: DataType, rule: RulePlan, segments: readonly Segment[]) => ColumnRunner;

function isKept({ transform, paths }: RulePlan): boolean {
  return transform === 'keep' && !paths;
}

function createFormat(type: DataType, rule: StructuredRule, toSlot: ToSlot): Format {
  const structure = toStructure(type);
  if (structure === 'xml') return new XmlFormat(createXmlTrie(toListed(rule.paths, toSlot)));
  const groups = groupByFirst(rule);
  const slotOf = (inner: DataType, first: Segment): Slot | undefined => {
    const group = groups.get(first);
    return group && toSlot(inner, group, [first]);
  };
  if (structure === 'array') return new ArrayFormat(slotOf(type.element ?? leafType, null), type.element?.base === 'box' ? 59 : 44);
  if (structure === 'composite') {
    return new CompositeFormat((type.attributes ?? []).map(({ name, type: inner }) => ({ name, slot: slotOf(inner, name) })));
  }
  const keys = [...groups.keys()].filter((key) => key !== null);
  return new HstoreFormat(new Map(keys.map((key) => [key, slotOf(leafType, key) as Slot])));
}

function toListed(paths: Paths, toSlot: ToSlot): { segments: Segment[]; slot: Slot }[] {
  return Object.entries(paths).map(([path, leaf]) => {
    const segments = parsePath(path) ?? [];
    return { segments, slot: toSlot(leafType, leaf, segments) };
  });
}

function createJsonRunner(paths: Paths, make: ToRunner, setting: JsonSetting): ColumnRunner {
  const listed = Object.entries(paths).map(([path, leaf], slot) => ({ segments: parsePath(path) ?? [], slot, leaf, kept: isKept(leaf) }));
  return new JsonRunner(
    listed,
    listed.map(({ leaf, segments }) => make(leafType, leaf, segments)),
    setting,
  );
}

/** Per first segment the rule of what stands there: the path's own, or one with the paths that go on. */
function groupByFirst(rule: StructuredRule): Map<Segment, RulePlan> {
  const groups = new Map<Segment, Record<string, Paths[string]>>();
  for (const [path, leaf] of Object.entries(rule.paths)) {
    const [first = null, ...others] = parsePath(path) ?? [];
    const group = groups.get(first) ?? {};
    group[formatPath(others)] = leaf;
    groups.set(first, group);
  }
  return new Map(
    [...groups].map(([first, group]) => {
      const whole = Object.keys(group).length === 1 ? group[''] : undefined;
      return [first, whole ?? { ...rule, paths: group }];
    }),
  );
}
