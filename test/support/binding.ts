// Definitions and a small honest registry, bound to a catalogue: what plan tests begin with.
import { fitsSchema } from '../../src/documents/documents.js';
import { type BindInput, bindPlan, type Bound, type Registry, type TransformView } from '../../src/pipeline/bind.js';
import type { Catalogue, DataType } from '../../src/pipeline/catalogue.js';
import type { ClassificationDefinition, Described, PipelineDefinition, RulebookDefinition } from '../../src/pipeline/definition.js';

export function described<Body>(body: Body, file = 'test.yaml'): Described<Body> {
  return { body, origin: { file, line: () => 1 } };
}

const families: Readonly<Record<string, string>> = {
  text: 'text', varchar: 'text', bpchar: 'text', citext: 'text', int2: 'integer', int4: 'integer', int8: 'integer', numeric: 'number',
  date: 'date', timestamptz: 'timestamp', jsonb: 'json', uuid: 'uuid',
}; // prettier-ignore

function transform(name: string, more: Partial<TransformView>): TransformView {
  return {
    name,
    accepts: ['text'],
    params: {},
    scopes: ['value', 'subject', 'row'],
    uniqueness: 'not-guaranteed',
    reveals: [],
    space: () => 1000n,
    ...more,
  };
}

/** What the real transforms of these names declare, as far as a plan looks at it. */
export const registry: Registry = {
  transforms: [
    transform('email', {
      params: { domain: { schema: { type: 'string', minLength: 3 }, default: 'example.com' } },
      uniqueness: 'preserved',
      reveals: ['equality', 'frequency'],
      space: (_params, type) => 32n ** BigInt(Math.max(0, Math.min(14, (type.length ?? 99) - 12))),
      misfit: (type: DataType) => ((type.length ?? 99) < 14 ? 'an address needs 14 characters' : undefined),
      leavesReservedSpace: (params) => params['domain'] !== 'example.com',
    }),
    transform('first-name', { scopes: ['subject', 'row'] }),
    transform('text-key', { scopes: ['value'], uniqueness: 'preserved', reveals: ['equality', 'frequency', 'length'], space: () => 0n }),
    transform('integer-key', {
      accepts: ['integer'],
      scopes: ['value'],
      uniqueness: 'preserved',
      reveals: ['equality', 'frequency'],
      space: () => 0n,
    }),
    transform('phone', { uniqueness: 'preserved', reveals: ['equality', 'frequency'], space: () => 10n ** 6n }),
    transform('replace', { scopes: ['row'], reveals: ['length'] }),
    transform('date-of-birth', { accepts: ['date', 'text'], scopes: ['subject', 'row'], reveals: ['band'] }),
    transform('fixed', {
      accepts: ['any'],
      params: { value: { schema: { type: 'string' } } },
      scopes: ['value'],
      uniqueness: 'lossy',
      space: () => 1n,
    }),
    transform('null', { accepts: ['any'], scopes: ['value'], uniqueness: 'lossy', space: () => 1n }),
    transform('keep', { accepts: ['any'], scopes: ['value'], uniqueness: 'preserved', reveals: ['value'], space: () => 0n }),
  ],
  familyOf: (type) => (type.kind === 'base' || type.kind === 'domain' ? families[type.base] : undefined),
  fitsSchema,
};

export const rules: RulebookDefinition['rules'] = {
  'pii.email': [{ transform: 'email', scope: 'value' }],
  'pii.first-name': [{ transform: 'first-name', scope: 'subject' }],
  'pii.phone': [{ transform: 'phone', scope: 'value' }],
  'pii.key': [{ transform: 'integer-key' }, { transform: 'text-key' }],
  'pii.free-text': [{ transform: 'replace' }],
  'pii.date-of-birth': [{ transform: 'date-of-birth' }],
  'pii.photo': [{ transform: 'null' }, { transform: 'fixed', params: { value: '' } }],
  'pii.username': [{ transform: 'text-key' }],
};

export type Words = {
  readonly tables: ClassificationDefinition['tables'];
  readonly patterns?: ClassificationDefinition['patterns'];
  readonly pipeline?: Partial<PipelineDefinition>;
  readonly rules?: RulebookDefinition['rules'];
} & Partial<Omit<BindInput, 'pipeline' | 'classification' | 'rulebook' | 'catalogue'>>;

export function toBindInput(catalogue: Catalogue, { tables, patterns, pipeline, rules: own, ...rest }: Words): BindInput {
  const target: PipelineDefinition['target'] = { connection: 'env:T', environment: 'dev', class: 'dev', allows: ['pii'] };
  const facts = { purpose: 'tests', owner: 'team', legalBasis: 'contract', subjectCategories: ['customers'], retentionDays: 30 };
  const body: PipelineDefinition = {
    kind: 'Pipeline',
    name: 'shop',
    source: { connection: 'env:S' },
    target,
    classification: 'shop',
    rulebook: 'default',
    ...facts,
    ...pipeline,
  };
  return {
    pipeline: described(body),
    classification: described({ kind: 'Classification', name: 'shop', tables, ...(patterns ? { patterns } : {}) }),
    rulebook: described({ kind: 'Rulebook', name: 'default', rules: { ...rules, ...own } }),
    catalogue,
    catalogueDigest: 'sha256:0',
    registry,
    keyVersion: 1,
    workspace: 'default',
    documents: {},
    ...rest,
  };
}

export function bind(catalogue: Catalogue, words: Words): Bound {
  return bindPlan(toBindInput(catalogue, words));
}

/** `CODE schema.table.column` of each finding, for short expectations. */
export function said(bound: Bound): readonly string[] {
  return bound.findings.map(({ code, where }) =>
    [code, [where.table, where.column ?? where.constraint].filter(Boolean).join('.')].filter(Boolean).join(' '),
  );
}
