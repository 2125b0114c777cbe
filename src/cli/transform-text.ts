// One transform as docs/transforms.md tells it: its declaration in words.
import type { Json } from '../kernel/canonical-json.js';
import type { DataType } from '../pipeline/catalogue.js';
import type { Transform } from '../pipeline/mask/mask.js';

const outputs: Readonly<Record<Transform['output'], string>> = {
  disjoint: 'cannot be there; the verification looks for them',
  overlapping: 'may be there by chance; not searched for',
  kept: '(parts of) them are kept on purpose; not searched for',
};

/** Types for which the number of pseudonyms is told: the first of a family that the transform takes. */
const samples: Readonly<Record<string, readonly DataType[]>> = {
  text: [sample('text', 'text'), sample('varchar(12)', 'varchar', 12)],
  integer: [sample('integer', 'int4'), sample('bigint', 'int8')],
  number: [{ ...sample('numeric(10,2)', 'numeric'), precision: 10, scale: 2 }, sample('double precision', 'float8')],
  date: [sample('date', 'date')],
  timestamp: [sample('timestamptz', 'timestamptz')],
  time: [sample('time', 'time')],
  interval: [sample('interval', 'interval')],
  uuid: [sample('uuid', 'uuid')],
  inet: [sample('inet', 'inet')],
  mac: [sample('macaddr', 'macaddr')],
  json: [sample('jsonb', 'jsonb')],
  bytea: [sample('bytea', 'bytea')],
  boolean: [sample('boolean', 'bool')],
  enum: [],
  any: [sample('text', 'text')],
};

export function toTransformText(transform: Transform, tags: readonly string[]): string {
  const { name, summary, accepts, scopes, reveals } = transform;
  const params = Object.entries(transform.params);
  const facts = [
    ['Accepts', list(accepts)],
    ['Scopes', list(scopes)],
    ['Uniqueness', `${transform.uniqueness}${transform.uniquenessWith ? '; some parameters make it stronger' : ''}`],
    ['Lets through', reveals.length === 0 ? 'nothing' : list(reveals)],
    [
      'Originals in the output',
      `${outputs[transform.output]}${transform.outputWith ? '; with some parameters they may be there by chance' : ''}`,
    ],
    ['Keyed', transform.keyed === false ? 'no' : `yes${permutes(transform) ? '; who has the key can undo it' : ''}`],
    ...(transform.reversible
      ? [['Reversible', 'by who may, with purpose and reason, where the target names the domain and its sources']]
      : []),
    ['Pseudonyms', toSpaceText(transform)],
    ['Tags of the rulebook default', tags.length === 0 ? 'none' : tags.map((tag) => `\`${tag}\``).join(', ')],
  ];
  const lines = facts.map(([label, text]) => `- ${label}: ${text}`);
  const table = params.map(
    ([param, { schema, default: fallback, doc }]) =>
      `| \`${param}\` | \`${toSchemaText(schema)}\` | ${fallback === undefined ? 'required' : `\`${JSON.stringify(fallback)}\``} | ${doc.replaceAll('|', '\\|')} |`,
  );
  const head = ['| parameter | accepts | default | meaning |', '| --- | --- | --- | --- |'];
  return [`## ${name}`, '', summary, '', ...lines, ...(params.length === 0 ? [] : ['', ...head, ...table])].join('\n');
}

/** A permutation of the values has an inverse. */
function permutes(transform: Transform): boolean {
  const params = Object.fromEntries(Object.entries(transform.params).map(([name, { default: value = null }]) => [name, value]));
  const [type] = transform.accepts.flatMap((family) => samples[family] ?? []);
  return transform.uniqueness === 'preserved' && type !== undefined && transform.space(params, type) === 0n;
}

function toSpaceText(transform: Transform): string {
  const params = Object.fromEntries(Object.entries(transform.params).map(([name, { default: value = null }]) => [name, value]));
  const types = transform.accepts.flatMap((family) => samples[family] ?? []);
  const told = types
    .filter((type) => transform.misfit?.(type, params) === undefined)
    .map((type) => [type.display, toCountText(transform, transform.space(params, type))] as const);
  const counts = [...new Set(told.map(([, count]) => count))];
  if (counts.length === 0) return 'depends on the parameters';
  if (counts.length === 1) return counts[0] ?? '';
  return counts.map((count) => `${count} (${told.flatMap(([type, each]) => (each === count ? [type] : [])).join(', ')})`).join('; ');
}

function toCountText({ uniqueness }: Transform, space: bigint): string {
  if (space === 0n) return uniqueness === 'preserved' ? 'as many as there are values (a permutation)' : 'depends on the values';
  if (space < 1_000_000n) return space.toLocaleString('en');
  const bits = space.toString(2).length - 1;
  return space === 1n << BigInt(bits) ? `2^${bits}` : `about 2^${bits}`;
}

/** The schema of a parameter, cut to what a reader needs. */
function toSchemaText(schema: Readonly<Record<string, Json>>): string {
  return JSON.stringify(schema).replaceAll('|', '\\|');
}

function list(words: readonly string[]): string {
  return words.join(', ');
}

function sample(display: string, base: string, length?: number): DataType {
  return { display, kind: 'base', base, deterministicCollation: true, ...(length === undefined ? {} : { length }) };
}
