// Writes the marker into staging. It belongs to the provisioning role and not to the environment's owner, so that nobody of the environment can
// change it, give rights to it, or drop it; what a superuser or the provisioning role changes, the signature tells.
import type { MarkerRow } from '../../../pipeline/marker.js';
import { toError } from '../../../kernel/errors.js';
import { markerColumns, markerTable } from '../marker-table.js';
import { quoteLiteral, quoteName, quoteQualified } from '../quote.js';
import { type Session, toSqlState } from './session.js';

const comment = 'Masked copy, not production. Made by Bauta and signed; bauta attest says whether it is still what was published.';

/** MUST be given a session of the provisioning role in the staging database. One transaction. */
export async function writeMarker(session: Session, row: MarkerRow): Promise<void> {
  const schema = quoteName(markerTable.schema);
  await session.transaction(async () => {
    await createSchema(session, schema);
    await session.query(`COMMENT ON SCHEMA ${schema} IS ${quoteLiteral(comment)}`);
    await writeMarkerTable(session, row);
  });
}

/** Into a schema that is there and empty, in the caller's transaction. */
export async function writeMarkerTable(session: Session, row: MarkerRow, markerIn: string = markerTable.schema): Promise<void> {
  for (const sql of toMarkerTableStatements(row, markerIn)) await session.query(sql);
}

/** The schema of the marker, and what stands in it, for a script. */
export function toMarkerStatements(row: MarkerRow): readonly string[] {
  const schema = quoteName(markerTable.schema);
  return [
    `CREATE SCHEMA ${schema}`,
    `COMMENT ON SCHEMA ${schema} IS ${quoteLiteral(comment)}`,
    ...toMarkerTableStatements(row, markerTable.schema),
  ];
}

function toMarkerTableStatements(row: MarkerRow, markerIn: string): readonly string[] {
  const [schema, table] = [quoteName(markerIn), quoteQualified({ ...markerTable, schema: markerIn })];
  const { version, planDigest, logOrigin, logIndex, madeAt, expiresAt, claim, manifest, note } = row;
  const texts = [planDigest, logOrigin, String(logIndex), madeAt, expiresAt, claim, JSON.stringify(manifest), note];
  return [
    `CREATE TABLE ${table} (${markerColumns.map(([name, type]) => `${name} ${type} NOT NULL`).join(', ')})`,
    `COMMENT ON TABLE ${table} IS ${quoteLiteral(comment)}`,
    `INSERT INTO ${table} VALUES (${[String(version), ...texts.map(quoteLiteral)].join(', ')})`,
    `REVOKE ALL ON TABLE ${table} FROM PUBLIC, CURRENT_USER`,
    `REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC, CURRENT_USER`,
    `GRANT USAGE ON SCHEMA ${schema} TO PUBLIC`,
    `GRANT SELECT ON TABLE ${table} TO PUBLIC`,
  ];
}

async function createSchema(session: Session, schema: string): Promise<void> {
  try {
    await session.query(`CREATE SCHEMA ${schema}`);
  } catch (error) {
    // 42P06: an after file made one. The plan refuses a source that has one.
    if (toSqlState(error) !== '42P06') throw error;
    throw toError('MARKER_SCHEMA_TAKEN', { stage: 'deliver', schema: markerTable.schema });
  }
}
