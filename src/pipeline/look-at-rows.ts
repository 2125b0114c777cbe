// The rows of a published database, as far as there is a manifest to hold them against: each table counted, or digested under the marker's nonce.
import type { Definition } from './definition-digest.js';
import { type ManifestTable, type Marker, type MarkerSeen, markerSchema } from './marker.js';
import { type DatasetSeen, TableDigest } from './verify/verify.js';

export interface SeenTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
  /** Whether this login sees every row. */
  readonly readable: boolean;
  /** Of the columns, those that the server computes. */
  readonly generated: readonly string[];
}

/** One session in the database, and one moment of it. */
export interface RowsReader {
  marker(): Promise<MarkerSeen>;
  place(): Promise<{ readonly database: string; readonly systemIdentifier: string | null }>;
  /** Every table but those of that schema. */
  tables(schemaOfMarker: string): Promise<readonly SeenTable[]>;
  /** What there is beside rows; of these schemas, or of all of the database. */
  definitions(schemas: readonly string[] | null): Promise<readonly Definition[]>;
  count(table: SeenTable): Promise<number>;
  /** The lines of `COPY … TO STDOUT` of these columns, as chunks that may cut lines anywhere. */
  lines(table: SeenTable, columns: readonly string[]): AsyncIterable<Uint8Array>;
}

export interface WholeMarker {
  readonly marker: Marker;
  readonly manifest: readonly ManifestTable[];
}

export const toTableKey = ({ schema, table }: Pick<ManifestTable, 'schema' | 'table'>): string => `${schema}\u0000${table}`;

export async function lookAtRows(
  reader: RowsReader,
  { marker, manifest }: WholeMarker,
  counts: boolean,
): Promise<readonly (DatasetSeen['tables'][number] & { readonly seen: SeenTable })[]> {
  const published = new Map(manifest.map((table) => [toTableKey(table), table]));
  const tables: (DatasetSeen['tables'][number] & { readonly seen: SeenTable })[] = [];
  for (const seen of await reader.tables(markerSchema)) {
    if (marker.schemas && !marker.schemas.includes(seen.schema)) continue;
    const name = { schema: seen.schema, table: seen.name, seen };
    const columns = published.get(toTableKey(name))?.columns;
    if (!seen.readable) tables.push({ ...name, rows: null, digest: null });
    else if (counts || !columns?.every((column) => seen.columns.includes(column)))
      tables.push({ ...name, rows: await reader.count(seen), digest: null });
    else {
      const digest = new TableDigest(Buffer.from(marker.nonce, 'hex'));
      for await (const chunk of reader.lines(seen, columns)) digest.update(chunk);
      tables.push({ ...name, rows: digest.rows, digest: digest.digest() });
    }
  }
  return tables;
}
