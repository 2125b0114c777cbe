// What PLAN_STALE compares: everything that the plan was decided on, and nothing that changes while people work.
import type { Json } from '../../../kernel/canonical-json.js';
import { digestJson } from '../../../kernel/digest.js';
import type { Catalogue, Table } from '../../../pipeline/catalogue.js';

/** Oids, kinds, attnums, names, types, constraints, texts of the schema. Sizes, estimates, statistics and the server's version are not in it. */
export function toCatalogueDigest(catalogue: Catalogue): string {
  const { systemIdentifier, database, databaseOid, encoding } = catalogue.server;
  const value = {
    server: { systemIdentifier, database, databaseOid, encoding },
    schemas: catalogue.schemas,
    tables: catalogue.tables.map(withoutSizes),
    objects: catalogue.objects,
    dependencies: catalogue.dependencies,
  };
  return digestJson(value as unknown as Json);
}

const changing = new Set(['estimatedRows', 'bytes', 'pages', 'statistics']);

function withoutSizes(table: Table): object {
  const keep = (value: object): object => Object.fromEntries(Object.entries(value).filter(([member]) => !changing.has(member)));
  return { ...keep(table), columns: table.columns.map(keep) };
}
