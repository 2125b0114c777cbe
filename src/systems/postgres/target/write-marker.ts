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
  const [schema, table] = [quoteName(markerIn), quoteQualified({ ...markerTable, schema: markerIn })];
  await session.query(`CREATE TABLE ${table} (${markerColumns.map(([name, type]) => `${name} ${type} NOT NULL`).join(', ')})`);
  await session.query(`COMMENT ON TABLE ${table} IS ${quoteLiteral(comment)}`);
  const { version, planDigest, logOrigin, logIndex, madeAt, expiresAt, claim, manifest, note } = row;
  await session.query(
    `INSERT INTO ${table} VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [version, planDigest, logOrigin, logIndex, madeAt, expiresAt, claim, JSON.stringify(manifest), note], // pg makes arrays of lists
  );
  await session.query(`REVOKE ALL ON TABLE ${table} FROM PUBLIC, CURRENT_USER`);
  await session.query(`REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC, CURRENT_USER`);
  await session.query(`GRANT USAGE ON SCHEMA ${schema} TO PUBLIC`);
  await session.query(`GRANT SELECT ON TABLE ${table} TO PUBLIC`);
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
