// The rows encoding: one record per row of a table, in one of three formats. docs/rows.md.
import type { Table } from '../../../../pipeline/catalogue.js';
import type { ColumnPlan } from '../../../../pipeline/plan.js';
import { toAvroRows, toAvroSchemas } from './avro-rows.js';
import { toJsonRows } from './json-rows.js';
import type { RowCodec } from './row-form.js';
import type { RowColumn, RowFormat, RowOrigin, RowTable } from './row-table.js';
import { type RowChoices, toRowType } from './row-type.js';
import type { SchemaRegistry } from './schema-registry.js';

export { ByteWriter } from './byte-writer.js';
export type { RowCodec } from './row-form.js';
export { RowReader } from './row-reader.js';
export { type RowFormat, type RowOrigin, type RowTable, rowFormats } from './row-table.js';
export { type RowChoices, usualChoices } from './row-type.js';
export { type RowRecords, RowWriter } from './row-writer.js';
export { SchemaRegistry } from './schema-registry.js';

/** The columns that COPY reads; the key's from the catalogue, which knows what a primary key is. */
export function toRowTable(
  plan: { readonly columns: readonly Pick<ColumnPlan, 'name' | 'type' | 'notNull'>[] },
  table: Pick<Table, 'schema' | 'name' | 'constraints'>,
  choices: RowChoices,
): RowTable {
  const columns = plan.columns.map(({ name, type, notNull }): RowColumn => ({ name, type: toRowType(type, choices), nullable: !notNull }));
  const primary = table.constraints.find(({ kind }) => kind === 'p')?.columns ?? [];
  const key = primary.map((name) => columns.findIndex((column) => column.name === name));
  // A generated column may be part of a key, and is not copied: such a table has no key here.
  return { schema: table.schema, name: table.name, columns, key: key.includes(-1) ? [] : key };
}

/** Registers the schemas first where the format has a registry. */
export async function toRowCodec(
  format: RowFormat,
  table: RowTable,
  of: { readonly origin: RowOrigin; readonly topic: string; readonly registry?: SchemaRegistry | undefined },
): Promise<RowCodec> {
  const { origin, topic, registry } = of;
  if (format !== 'avro') return toJsonRows(table, origin, topic, format === 'connect-json');
  if (!registry) throw new Error('avro without a registry');
  const schemas = toAvroSchemas(table, topic);
  const key = schemas.key === undefined ? 0 : await registry.register(topic, 'key', schemas.key);
  return toAvroRows(table, origin, topic, { key, value: await registry.register(topic, 'value', schemas.value) });
}
