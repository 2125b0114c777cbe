// docs/rows.md says what the code does: the table of types is made here, and what stands there is held against it (UPDATE_TRANSCRIPTS=1 writes it).
import { readFileSync, writeFileSync } from 'node:fs';

import { expect, it } from '@jest/globals';

import { packageFile } from '../../../../kernel/package-root.js';
import type { DataType } from '../../../../pipeline/catalogue.js';
import { toAvroEnvelope } from './avro-schema.js';
import { toConnectEnvelope } from './connect-schema.js';
import { type RowType, toRowType, usualChoices } from './row-type.js';

const base = (name: string, more: Partial<DataType> = {}): DataType => ({
  display: name,
  kind: 'base',
  base: name,
  deterministicCollation: true,
  ...more,
});
const listed: readonly (readonly [label: string, type: DataType, json: string])[] = [
  ['boolean', base('bool'), '`true`'],
  ['smallint', base('int2'), '`7`'],
  ['integer', base('int4'), '`7`'],
  ['bigint, oid', base('int8'), '`7`, of 64 bits'],
  ['real', base('float4'), '`1.5`'],
  ['double precision', base('float8'), '`1.5`'],
  ['numeric', base('numeric'), '`"2.50"`'],
  ['numeric(p,s), `decimal`', base('numeric', { precision: 12, scale: 2 }), 'base64 of the unscaled number'],
  ['text, varchar, char, citext, name', base('text'), '`"text"`'],
  ['bytea', base('bytea'), 'base64'],
  ['date', base('date'), 'days since 1970-01-01'],
  ['time', base('time'), 'microseconds since midnight'],
  ['timestamp', base('timestamp'), 'microseconds'],
  ['timestamptz', base('timestamptz'), 'microseconds'],
  ['uuid', base('uuid'), '`"a0ee…"`'],
  ['json, jsonb', base('jsonb'), 'its text in a string'],
  ['xml', base('xml'), 'its text in a string'],
  ['an enum', base('mood', { kind: 'enum', labels: ['happy'] }), '`"happy"`'],
  ['an array, here of integer', { ...base('int4'), kind: 'array', element: base('int4') }, '`[1,null]`'],
  ['a domain, here of integer', base('int4', { kind: 'domain' }), 'as the type below it'],
  [
    'a range, multirange, composite; money, interval, timetz, inet, cidr, macaddr, bit, hstore, and every other type',
    base('int4range', { kind: 'range' }),
    'the text that the server prints',
  ],
];

interface Field {
  readonly type: unknown;
  readonly name?: string;
}

function toRow([label, data, json]: (typeof listed)[number]): string {
  const type = toRowType(data, { ...usualChoices, numeric: label.includes('decimal') ? 'decimal' : 'text' });
  const table = { schema: 's', name: 't', columns: [{ name: 'c', type, nullable: false }], key: [] };
  const envelope = toConnectEnvelope(table, 't') as unknown as { fields: { fields: (Field & { items?: Field })[] }[] };
  const connect = envelope.fields[1]?.fields[0];
  const avro = (toAvroEnvelope(table, 't') as unknown as { fields: [{ type: [unknown, { fields: [{ type: unknown }] }] }] }).fields[0]
    .type[1].fields[0].type;
  const connectText = `${String(connect?.type)}${connect?.items ? ` of ${String(connect.items.type)}` : ''}${connect?.name === undefined ? '' : `, \`${connect.name}\``}`;
  return `| ${label} | ${connectText} | ${json} | ${toAvroText(avro, type)} |`;
}

function toAvroText(avro: unknown, { kind }: RowType): string {
  if (typeof avro === 'string') return avro;
  const { type, logicalType, items } = avro as { type: string; logicalType?: string; items?: readonly unknown[] };
  if (kind === 'list') return `array of null or ${String(items?.[1])}`;
  return logicalType === undefined ? type : `${type}, \`${logicalType}\``;
}

it('is told by docs/rows.md', () => {
  const table = ['| Postgres | Kafka Connect | JSON | Avro |', '|---|---|---|---|', ...listed.map(toRow)].join('\n');
  const file = packageFile('docs', 'rows.md');
  const text = readFileSync(file, 'utf8');
  const told = text.replace(
    /(<!-- types -->\n)[\s\S]*(<!-- \/types -->)/,
    (_, open: string, close: string) => `${open}\n${table}\n\n${close}`,
  );
  if (process.env['UPDATE_TRANSCRIPTS'] === '1') writeFileSync(file, told);
  else expect(text).toBe(told);
});
