// How far a lowered protection reaches: which columns, how many rows of the last copy, which environments.
import type { Schema } from '../../documents/documents.js';
import { parseSqlName } from '../../kernel/sql-name.js';
import type { Transaction } from '../../systems/metadata/metadata.js';
import type { DocumentSet, Of } from './document-set.js';
import type { Lowered } from './compare.js';
import { toSaid } from './said-columns.js';

export interface BlastRadius {
  readonly columns: readonly string[];
  /** Of the tables concerned, in the last published copy of each pipeline; null: none has been published, or not of this table. */
  readonly tables: readonly { readonly pipeline: string; readonly table: string; readonly rows: number | null }[];
  /** The sum of what is known; null: nothing is. */
  readonly rows: number | null;
  readonly pipelines: readonly string[];
  readonly environments: readonly string[];
}

const texts: Schema = { type: 'array', items: { type: 'string' } };
const rows: Schema = { type: ['integer', 'null'], description: 'of the last published copy; null: not known' };
export const blastRadiusSchema: Schema = {
  type: 'object',
  required: ['columns', 'tables', 'rows', 'pipelines', 'environments'],
  properties: {
    ...{ columns: texts, rows, pipelines: texts, environments: texts },
    tables: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pipeline', 'table', 'rows'],
        properties: { pipeline: { type: 'string' }, table: { type: 'string' }, rows },
      },
    },
  },
};

export async function toBlastRadius(transaction: Transaction, after: DocumentSet, lowered: readonly Lowered[]): Promise<BlastRadius> {
  const columns = new Set<string>();
  const tables: { pipeline: string; table: string; rows: number | null }[] = [];
  const touched = after.all('Pipeline').flatMap((pipeline) => {
    const mine = lowered.filter(({ document }) => isOf(pipeline, document));
    return mine.length > 0 ? [{ pipeline, mine }] : [];
  });
  // Of a classification that no pipeline has yet, the columns are known all the same.
  for (const { column } of lowered) if (column !== null) columns.add(column);
  for (const { pipeline, mine } of touched) {
    const places = mine.flatMap((one) => toPlaces(after, pipeline, one));
    for (const { column } of places) columns.add(column);
    const counted = await readRows(transaction, pipeline.name);
    for (const table of new Set(places.flatMap(({ table: one }) => one ?? [])))
      tables.push({ pipeline: pipeline.name, table, rows: counted.get(toShown(table)) ?? null });
  }
  const known = tables.flatMap(({ rows: one }) => one ?? []);
  return {
    ...{ columns: [...columns].sort(), tables },
    rows: known.length > 0 ? known.reduce((sum, one) => sum + one, 0) : null,
    pipelines: touched.map(({ pipeline }) => pipeline.name).sort(),
    environments: [
      ...new Set([
        ...touched.map(({ pipeline: { target } }) => (typeof target === 'string' ? target : target.environment)),
        ...lowered.flatMap(toJoined),
      ]),
    ].sort(),
  };
}

/** Both that share their pseudonyms then, whether a pipeline delivers there yet or not. */
function toJoined({ what, document, after }: Lowered): readonly string[] {
  const environment = /^Environment (.*)$/.exec(document)?.[1];
  return what === 'keys-joined' || what === 'tokens-joined'
    ? [...(environment === undefined ? [] : [environment]), ...(after === null ? [] : [after])]
    : [];
}

function isOf({ name, classification, rulebook, target }: Of<'Pipeline'>, document: string): boolean {
  const mine = [`Pipeline ${name}`, `Classification ${classification}`, `Rulebook ${rulebook}`];
  return mine.includes(document) || (typeof target === 'string' && document === `Environment ${target}`);
}

/** What names a column is that one; what names a tag only is every column of it. */
function toPlaces(
  after: DocumentSet,
  { classification }: Of<'Pipeline'>,
  { column, table, tag }: Lowered,
): readonly { column: string; table: string | null }[] {
  if (column !== null) return [{ column, table }];
  if (table === null && tag === null) return [];
  const said = after.find('Classification', classification);
  return [...(said ? toSaid(said).values() : [])].filter((one) =>
    tag === null ? one.table === table : one.tag === tag || one.tag.startsWith(`${tag}.`),
  );
}

async function readRows({ runs }: Transaction, pipeline: string): Promise<ReadonlyMap<string, number>> {
  const [last] = await runs.list(1, { pipeline, state: 'published' });
  const { tables = [] } = (last?.summary ?? {}) as { readonly tables?: readonly { readonly name: string; readonly rows: number }[] };
  return new Map(tables.map(({ name, rows: count }) => [name, count]));
}

/** As a run's summary names a table. */
const toShown = (table: string): string => parseSqlName(table)?.join('.') ?? table;
