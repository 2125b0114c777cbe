// A sink as Kafka Connect's for JDBC is: it knows nothing but the records. Of the schema that stands in each it makes a table, of the key's its primary
// key, and of the payload the rows; Debezium's names of types say what a number is.
import { connect } from '../../src/systems/postgres/connection.js';
import type { Broker } from '../../src/systems/kafka/kafka.js';

interface Schema {
  readonly type: string;
  readonly name?: string;
  readonly field?: string;
  readonly optional: boolean;
  readonly fields?: readonly Schema[];
  readonly items?: Schema;
}
interface Message {
  readonly schema: Schema;
  readonly payload: Readonly<Record<string, unknown>>;
}

const byType: Readonly<Record<string, string>> = {
  ...{ boolean: 'boolean', int16: 'smallint', int32: 'integer', int64: 'bigint', float: 'real', double: 'double precision' },
  ...{ string: 'text', bytes: 'bytea', 'io.debezium.time.Date': 'date', 'io.debezium.time.MicroTimestamp': 'timestamp' },
  'io.debezium.time.MicroTime': 'time',
};
const toType = ({ type, name = '', items }: Schema): string => (items ? `${toType(items)}[]` : (byType[name] ?? byType[type] ?? ''));
const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function toValue({ type, name }: Schema, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (name === 'io.debezium.time.Date') return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10);
  if (name === 'io.debezium.time.MicroTimestamp') {
    const micros = BigInt(value as number);
    const millis = Number(micros / 1000n);
    return `${new Date(millis).toISOString().slice(0, -1)}${String(micros % 1000n).padStart(3, '0')}`;
  }
  return type === 'bytes' ? `\\x${Buffer.from(value as string, 'base64').toString('hex')}` : value;
}

/** Into a table of the topic's last two words, in a database of the caller's. Returns how many rows; undefined: the topic is empty. */
export async function sinkTopic(broker: Broker, topic: string, url: string): Promise<number | undefined> {
  const reader = await broker.reader({ topic, waitMs: 100 });
  const client = await connect({ name: 'the sink', url });
  const [schema = '', table = ''] = topic.split('.').slice(-2);
  const name = `${quote(schema)}.${quote(table)}`;
  let rows: number | undefined;
  try {
    const ends = await reader.askEnds();
    while ([...ends].some(([partition, end]) => (reader.positions.get(partition) ?? 0n) < end)) {
      const records = await reader.read();
      if (records.length === 0) continue;
      const messages = records.map(({ key, value }) => ({
        key: key && (JSON.parse(key.toString('utf8')) as Message),
        value: JSON.parse((value as Buffer).toString('utf8')) as Message,
      }));
      const [first] = messages as [(typeof messages)[number]];
      const after = first.value.schema.fields?.find(({ field }) => field === 'after') as Schema;
      if (rows === undefined) await client.query(toTable(name, schema, after, first.key?.schema));
      rows = (rows ?? 0) + records.length;
      const values = messages.map(({ value: { payload } }) => {
        const row = payload['after'] as Readonly<Record<string, unknown>>;
        return Object.fromEntries((after.fields ?? []).map((one) => [one.field ?? '', toValue(one, row[one.field ?? ''])] as const));
      });
      await client.query(`INSERT INTO ${name} SELECT * FROM jsonb_populate_recordset(NULL::${name}, $1::jsonb)`, [JSON.stringify(values)]);
    }
    return rows;
  } finally {
    await reader.close();
    await client.end();
  }
}

function toTable(name: string, schema: string, after: Schema, key: Schema | undefined): string {
  const columns = (after.fields ?? []).map((one) => `${quote(one.field ?? '')} ${toType(one)} ${one.optional ? '' : 'NOT NULL'}`);
  const primary = key?.fields?.map(({ field = '' }) => quote(field)) ?? [];
  const keys = primary.length === 0 ? [] : [`PRIMARY KEY (${primary.join(', ')})`];
  return `CREATE SCHEMA IF NOT EXISTS ${quote(schema)}; CREATE TABLE ${name} (${[...columns, ...keys].join(', ')})`;
}
