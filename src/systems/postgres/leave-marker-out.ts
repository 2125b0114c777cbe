// A source may be a masked copy itself. Its marker is Bauta's and no part of the data: it is left out, and said. Any other schema of that name
// cannot be copied, because the copy's own marker will stand there.
import type pg from 'pg';

import { type Finding, toFinding } from '../../kernel/errors.js';
import type { Verifier } from '../../kernel/signed-note.js';
import type { Catalogue } from '../../pipeline/catalogue.js';
import { markerSchema, openMarker } from '../../pipeline/marker.js';
import type { SourceScope } from '../../pipeline/ports.js';
import { readCatalogue } from './catalogue/catalogue.js';
import { readMarker } from './marker-table.js';
import { toServerError } from './server-error.js';

/** `any`: whoever signed it. For a look that decides nothing. */
export async function readCatalogueWithoutMarker(
  client: pg.Client,
  scope: SourceScope,
  connection: string,
  verifiers: readonly Verifier[] | 'any',
): Promise<{ readonly catalogue: Catalogue; readonly findings: readonly Finding[] }> {
  const seen = await readMarker(client).catch((cause: unknown) => {
    throw toServerError(cause, { connection, stage: 'source' });
  });
  if (seen.row === null && seen.schema === 'absent') return readCatalogue(client, scope, connection);
  const opened = openMarker(seen, verifiers === 'any' ? [] : verifiers);
  const known = opened.state === 'whole' && (verifiers === 'any' || opened.signer === 'checked');
  const narrow = known ? { ...scope, exclude: [...scope.exclude, `${markerSchema}.*`] } : scope;
  const { catalogue, findings } = await readCatalogue(client, narrow, connection);
  const where = { connection, schema: markerSchema };
  if (known) return { catalogue, findings: [...findings, toFinding('SOURCE_MARKER_LEFT_OUT', where, 'warning')] };
  const taken = catalogue.schemas.some(({ name }) => name === markerSchema);
  return { catalogue, findings: taken ? [...findings, toFinding('SCHEMA_NAME_RESERVED', where)] : findings };
}
