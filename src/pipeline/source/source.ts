// Source: what is there, and everything that stands in the way of reading it, before a row is read.
import { type Finding, sortFindings } from '../../kernel/errors.js';
import type { Catalogue } from '../catalogue.js';
import type { Source, SourceScope } from '../ports.js';

/** What the log may know of a source: names, versions and sizes. A type, not an interface, so that it is JSON. */
export type SourceFacts = {
  readonly systemIdentifier: string;
  readonly database: string;
  readonly databaseOid: number;
  readonly serverVersion: number;
  readonly inRecovery: boolean;
  readonly tables: number;
  /** Of the tables that were analysed. */
  readonly estimatedRows: number;
  readonly bytes: number;
};

export interface SourceInspection {
  readonly catalogue: Catalogue;
  readonly digest: string;
  readonly address: string;
  readonly facts: SourceFacts;
  /** All of them, sorted. One of severity `error` MUST stop the plan. */
  readonly findings: readonly Finding[];
}

/** Looks at the source. Throws only if it could not look. */
export async function inspectSource(source: Source, scope: SourceScope): Promise<SourceInspection> {
  const { catalogue, digest, address, findings } = await source.describe(scope);
  return { catalogue, digest, address, facts: toSourceFacts(catalogue), findings: sortFindings(findings) };
}

export function toSourceFacts({ server, tables }: Catalogue): SourceFacts {
  return {
    systemIdentifier: server.systemIdentifier,
    database: server.database,
    databaseOid: server.databaseOid,
    serverVersion: server.version,
    inRecovery: server.inRecovery,
    tables: tables.length,
    // The rows of a partitioned table are those of its partitions, and they are counted there.
    estimatedRows: tables.reduce((sum, table) => sum + (table.kind === 'p' ? 0 : Math.max(0, table.estimatedRows)), 0),
    bytes: tables.reduce((sum, table) => sum + table.bytes, 0),
  };
}
