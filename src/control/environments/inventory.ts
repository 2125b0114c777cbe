// What there is of an environment: its document, the versions that are published in it, who reads them, and the clones of them. As the service
// knows it: no server is asked.
import type { Schema } from '../../documents/documents.js';
import type { EnvironmentRow, InventoryRow, Transaction } from '../../systems/metadata/metadata.js';
import { datasetProperties, toDatasetView } from '../datasets/datasets.js';

const text: Schema = { type: 'string' };
const instant: Schema = { type: 'string', format: 'date-time' };
const instantOrNull: Schema = { type: ['string', 'null'], format: 'date-time' };
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});

const document: Schema = {
  ...object({ version: { type: 'integer' }, digest: text, author: text, appliedAt: instant, erasedAt: instantOrNull }),
  type: ['object', 'null'],
  description: 'null: a pipeline says all of it itself; its text: GET /v1/environments/{name}',
};
const readers: Schema = {
  ...object({
    at: { ...instant, description: 'when they were looked at' },
    roles: {
      type: 'array',
      items: object({ role: { ...text, description: 'that may connect, or PUBLIC' }, sessions: { type: 'integer' } }),
    },
  }),
  type: ['object', 'null'],
  description: 'who may read it, and how many sessions of whom were in it; null: no look at the rows has seen it yet',
};
const dataset = object({
  ...datasetProperties,
  state: { type: 'string', enum: ['current', 'previous'], description: '`previous`: it is held, and another one took its place' },
  ageSeconds: { type: 'integer', description: 'since it was published' },
  documents: {
    type: 'array',
    items: object({ kind: text, name: text, version: { type: ['integer', 'null'] }, digest: text }),
    description: 'what it was made with, rulebooks among them; a version of null: it was named by none that was asked for',
  },
  policy: object({ revision: { type: ['string', 'null'], description: 'null: it is older than this is kept' }, digest: text }),
  readers,
});

/** One environment. */
export const inventorySchema: Schema = object({
  name: text,
  document,
  datasets: { type: 'array', items: dataset, description: 'by pipeline and target: what is current, and what is held' },
  clones: object({
    count: { type: 'integer', description: 'that are there, or being made or dropped' },
    until: { ...instantOrNull, description: 'when the last of them goes by itself; null: there is none, or one is still being made' },
  }),
});

/** With as many statements for a page as for one. */
export async function toInventory(
  { datasets, clones }: Transaction,
  environments: readonly EnvironmentRow[],
  nowMs: number,
): Promise<readonly ({ readonly name: string } & object)[]> {
  const names = environments.map(({ name }) => name);
  const found = await datasets.inEnvironments(names, new Date(nowMs));
  const counts = await clones.count(names);
  return environments.map(({ name, document: head }) => {
    const { count = 0, until = null } = counts.find(({ environment }) => environment === name) ?? {};
    return {
      name,
      document: head && { ...head, appliedAt: head.appliedAt.toISOString(), erasedAt: head.erasedAt?.toISOString() ?? null },
      datasets: found.filter(({ environment }) => environment === name).map((row) => toView(row, nowMs)),
      clones: { count, until: until?.toISOString() ?? null },
    };
  });
}

function toView(row: InventoryRow, nowMs: number): object {
  const { refs, policyRevision, policyDigest, publishedAt } = row;
  const documents = Object.entries(row.documents).map(([key, digest]) => {
    const [kind = '', ...rest] = key.split(' ');
    const name = rest.join(' ');
    const version = refs?.find((ref) => ref.kind === kind && ref.name === name)?.version ?? null;
    return { kind, name, version, digest };
  });
  return {
    ...toDatasetView(row, nowMs),
    state: row.current ? 'current' : 'previous',
    ageSeconds: Math.max(0, Math.floor((nowMs - publishedAt.getTime()) / 1000)),
    ...{ documents, policy: { revision: policyRevision, digest: policyDigest }, readers: row.readers },
  };
}
