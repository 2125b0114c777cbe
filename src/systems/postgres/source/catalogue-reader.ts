// How a source comes by its catalogue: given at construction, because reading it is a subject of its own.
import type pg from 'pg';

import type { Finding } from '../../../kernel/errors.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { SequenceValue, SourceScope } from '../../../pipeline/ports.js';

export interface CatalogueReader {
  /** Reads in the transaction that the client is in; `connection` is the reference's name, for findings. */
  readonly readCatalogue: (
    client: pg.Client,
    scope: SourceScope,
    connection: string,
  ) => Promise<{ readonly catalogue: Catalogue; readonly findings: readonly Finding[] }>;
  readonly toCatalogueDigest: (catalogue: Catalogue) => string;
  readonly readSequenceValues: (client: pg.Client, catalogue: Catalogue, connection: string) => Promise<readonly SequenceValue[]>;
}
