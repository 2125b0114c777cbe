// OpenLineage (https://openlineage.io/spec/2-0-2/OpenLineage.json): the parts of a run event that Bauta says, and facets with where their form stands.
import { hash } from 'node:crypto';

import type { Json } from '../../kernel/canonical-json.js';

export type Facets = Readonly<Record<string, Json>>;

export interface LineageDataset {
  readonly namespace: string;
  readonly name: string;
  readonly facets?: Facets;
  readonly inputFacets?: Facets;
  readonly outputFacets?: Facets;
}

export interface RunEvent {
  readonly eventType: 'START' | 'RUNNING' | 'COMPLETE' | 'FAIL' | 'ABORT';
  readonly eventTime: string;
  readonly producer: string;
  readonly schemaURL: string;
  readonly run: { readonly runId: string; readonly facets: Facets };
  readonly job: { readonly namespace: string; readonly name: string; readonly facets: Facets };
  readonly inputs: readonly LineageDataset[];
  readonly outputs: readonly LineageDataset[];
}

export const runEventSchema = 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent';

/** Member of `facets` → version and name of its form. Those with a place of their own are ours, and stand in docs/schema. */
const forms = {
  schema: '1-2-0/SchemaDatasetFacet',
  columnLineage: '1-2-0/ColumnLineageDatasetFacet',
  tags: '1-0-0/TagsDatasetFacet',
  storage: '1-0-1/StorageDatasetFacet',
  dataSource: '1-0-1/DatasourceDatasetFacet',
  version: '1-0-1/DatasetVersionDatasetFacet',
  datasetType: '1-0-1/DatasetTypeDatasetFacet',
  lifecycleStateChange: '1-0-1/LifecycleStateChangeDatasetFacet',
  dataQualityAssertions: '1-1-0/DataQualityAssertionsDatasetFacet',
  inputStatistics: '1-0-0/InputStatisticsInputDatasetFacet',
  outputStatistics: '1-0-2/OutputStatisticsOutputDatasetFacet',
  processing_engine: '1-1-1/ProcessingEngineRunFacet',
  nominalTime: '1-0-1/NominalTimeRunFacet',
  parent: '1-2-0/ParentRunFacet',
  errorMessage: '1-0-1/ErrorMessageRunFacet',
  test: '1-0-1/TestRunFacet',
  jobType: '2-0-4/JobTypeJobFacet',
  bauta_evidence: 'https://bauta.invalid/schema/1-0-0/event-lineage-evidence.json',
  // Art. 30 GDPR, as PyPI `qedro` reads it.
  processing: 'https://bauta.invalid/schema/1-0-0/event-lineage-processing.json',
} as const;

/** Every facet says who made it and where its form is. `undefined` leaves the facet out. */
export function toFacets(
  producer: string,
  facets: { readonly [Name in keyof typeof forms]?: { readonly [member: string]: Json | undefined } | undefined },
): Facets {
  const said: Record<string, Json> = {};
  for (const [name, facet] of Object.entries(facets)) {
    const form = forms[name as keyof typeof forms];
    const url = form.startsWith('https:') ? form : `https://openlineage.io/spec/facets/${form}.json`;
    if (facet !== undefined) said[name] = { _producer: producer, _schemaURL: url, ...facet };
  }
  return said;
}

/** OpenLineage wants a UUID: the one that a run's id always has, here and everywhere (RFC 9562, version 8). */
export function toLineageRunId(id: string): string {
  const bytes = hash('sha256', `bauta run ${id}`, 'buffer').subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
