// Rows of a batch as requests to the broker: how large they are, and which partition each goes to.
import { BautaError, toError } from '../../../kernel/errors.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { Plan, TablePlan } from '../../../pipeline/plan.js';
import type { OutRecord } from '../producer.js';
import { mostRecordBytes } from '../wire/record.js';
import { toPartition } from '../wire/rows/partition.js';
import type { RowFormat, RowRecords, RowWriter } from '../wire/rows/rows.js';

/** Of one request; a record that is larger goes alone. */
const requestBytes = 768 * 1024;

/** Sizes of the source, and what stands around each row; nothing of it has to be exact. */
export function estimateBytes(plan: Plan, catalogue: Catalogue, format: RowFormat): number {
  return plan.tables.reduce((sum, { schema, name, columns }) => {
    const table = catalogue.tables.find((one) => one.schema === schema && one.name === name);
    const rows = table && table.estimatedRows >= 0 ? table.estimatedRows : (table?.bytes ?? 0) / 100;
    const around = format === 'connect-json' ? 1500 + 250 * columns.length : format === 'json' ? 250 + 16 * columns.length : 150;
    return sum + (table?.bytes ?? 0) + rows * around;
  }, 0);
}

export function encodeBatch(writer: RowWriter, bytes: Uint8Array, range: number, sequence: number): RowRecords {
  try {
    return writer.write(bytes);
  } catch (error) {
    if (error instanceof BautaError) throw toError(error.code, { stage: 'deliver', ...error.where, range: range + 1, batch: sequence + 1 });
    throw error;
  }
}

/** Requests of at most `requestBytes`, by partition: by the key; without one in turns; all in one where the rows have to stay in order. */
export function* toChunks(
  records: RowRecords,
  plan: TablePlan,
  partitions: number,
): Generator<ReadonlyMap<number, OutRecord[]>, void, undefined> {
  const { rows, bytes, ends, keyed } = records;
  let chunk = new Map<number, OutRecord[]>();
  let size = 0;
  let from = 0;
  for (let n = 0; n < rows; n++) {
    const [middle, end] = [ends[2 * n] as number, ends[2 * n + 1] as number];
    if (end - from > mostRecordBytes)
      throw toError('STREAM_LINE_TOO_LONG', { stage: 'deliver', schema: plan.schema, table: plan.name, amount: `${Math.ceil((end - from) / (1 << 20))} MB` }); // prettier-ignore
    if (size > 0 && size + end - from > requestBytes) {
      yield chunk;
      chunk = new Map();
      size = 0;
    }
    const partition = plan.inOrder ? 0 : keyed ? toPartition(bytes, from, middle, partitions) : n % partitions;
    const record = { key: keyed ? bytes.subarray(from, middle) : null, value: bytes.subarray(middle, end), partition };
    const there = chunk.get(partition);
    if (there) there.push(record);
    else chunk.set(partition, [record]);
    size += end - from;
    from = end;
  }
  if (size > 0) yield chunk;
}
