// The forms of events as published under docs/schema/event-*.json. A form is open: members may be added, and readers pass over what they do not know.
// Within one first number of the version nothing is taken away, renamed or given another type; a test compares with the last release.
import { eventVersion } from '../systems/kafka/kafka.js';
import { usageActions } from '../pipeline/report/report.js';
import { type Schema, list, oneOf, orNull, text } from './schema-words.js';

const integer: Schema = { type: 'integer', minimum: 0 };
const instant: Schema = { type: 'string', format: 'date-time' };
const word: Schema = { type: 'string' };

const open = (required: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema => ({
  ...{ type: 'object', required: Object.keys(required), properties: { ...required, ...optional } },
});

const publish = (name: string, schema: Schema): [string, Schema] => [
  `event-${name}.json`,
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `https://bauta.invalid/schema/${eventVersion.replaceAll('.', '-')}/event-${name}.json`,
    version: eventVersion,
    ...schema,
  },
];

const place = { server: word, target: word };
const version = { target: word, version: integer };
const published = open(
  { ...version, planDigest: word, manifest: word, expiresAt: instant, server: word },
  { environment: word, pipeline: word },
);
const clone = open({ environment: word, ...version, clone: word, expiresAt: instant }, { actor: word });
const exchange = {
  action: oneOf('tokenise', 'detokenise'),
  environment: orNull(word),
  domain: orNull(word),
  purpose: orNull(word),
  count: integer,
  actor: word,
};
const transition = open({ run: word, from: word, attempt: integer }, { actor: word });

/** What is in `data` of those types that others go by. Other types have data too, whose members are words of the same kind. */
const byType: Readonly<Record<string, Schema>> = {
  'run.queued': open({ run: word, pipeline: word, attempt: integer }, { due: orNull(instant), actor: word }),
  'run.started': open({ pipeline: word, environment: word, actor: orNull(word) }),
  'source.seen': open({ address: word, database: word, systemIdentifier: word }),
  'plan.decided': open(
    { planDigest: word, decision: open({ decisionId: word, allow: { type: 'boolean' } }) },
    { target: open({ ...{ address: word, database: word, systemIdentifier: word } }) },
  ),
  'key.recorded': open({ check: word, version: integer }, { purpose: word, workspace: word, environment: word }),
  'snapshot.opened': open({ catalogueDigest: word }, { sourceState: orNull(word) }),
  'staging.intended': open({ ...place, planDigest: word }),
  'staging.done': open({ ...place, planDigest: word }),
  'table.loaded': open({ schema: word, table: word, rows: integer, bytes: integer, digest: word, seconds: { type: 'number' } }),
  'dataset.verified': open({ tables: integer }),
  'checks.made': open({
    checks: list(open({ name: word, kind: word, outcome: word }), 'one for each'),
    pass: integer,
    fail: integer,
    notRun: integer,
  }),
  'privacy.measured': open({
    worst: { type: 'object', description: 'shares and counts by measure; null: not measured' },
    beyond: list(word, 'measures beyond their limit'),
    unknown: list(word, 'measures that were not made somewhere'),
    tables: list(open({ schema: word, table: word, rows: integer }), 'worst first'),
  }),
  'findings.made': open({ findings: list(open({ code: word, severity: oneOf('error', 'warning') }), 'all of them') }),
  'dataset.published.intended': published,
  'dataset.published.done': published,
  'dataset.reused': open({ ...version, planDigest: word, runId: word }),
  'dataset.pulled': open({ ...version, environment: word, pipeline: word, run: word, sha256: word }, { bytes: integer, actor: word }),
  'clone.made.done': clone,
  'clone.made.intended': clone,
  'tokens.exchanged': open(exchange),
  'tokens.refused': open(exchange),
  'run.ended': open({ state: word, peakRssBytes: integer }, { error: open({ code: word }) }),
  ...Object.fromEntries(
    ['planning', 'extracting', 'published', 'failed', 'denied', 'withheld', 'cancelled'].map((state) => [`run.${state}`, transition]),
  ),
};

const audit: Schema = {
  ...open(
    {
      at: text('when, RFC 3339 in UTC; empty where nobody said'),
      runId: text('of the run that it belongs to; empty for what belongs to none'),
      stage: text('of the way of the data, or control for what the service does beside it'),
      type: text('what happened; the header ce_type is bauta.audit. and this'),
    },
    {
      data: { type: 'object', description: 'names, counts, digests and decisions; people as random ids, texts as commitments' },
      payload: {
        ...open({ digest: word, bytes: integer }),
        description: 'instead of data where that has more than 16 KB: /v1/audit/log/LOG/payload/DIGEST',
      },
    },
  ),
  description: 'An entry of the audit log: the bytes are those that were signed (RFC 8785), and their leaf digest is that of RFC 6962.',
  oneOf: [{ required: ['data'] }, { required: ['payload'] }],
  allOf: Object.entries(byType).map(([type, data]) => ({
    if: { properties: { type: { const: type } }, required: ['data'] },
    then: { properties: { data } },
  })),
};

const usage: Schema = {
  ...open({
    version: text('of this form'),
    at: instant,
    action: oneOf(...usageActions),
    who: { ...orNull(word), description: 'random id of a person; null: the service itself' },
    environment: orNull(word),
    pipeline: orNull(word),
    dataset: orNull(open(version)),
    run: orNull(word),
    clone: orNull(word),
    domain: { ...orNull(word), description: 'of tokens' },
    amount: {
      ...open({ rows: orNull(integer), bytes: orNull(integer), values: orNull(integer) }),
      description: 'null: not known of this action',
    },
    log: { ...open({ origin: word, index: integer }), description: 'the entry of the audit log that says so' },
  }),
  description: 'Who used what, and how much.',
};

const facet = (description: string, members: Schema): Schema => ({
  ...{ type: 'object', description },
  ...{ required: ['_producer', '_schemaURL', ...(members['required'] as string[])] },
  properties: {
    _producer: { type: 'string', format: 'uri' },
    _schemaURL: { type: 'string', format: 'uri' },
    ...(members['properties'] as object),
  },
});

/** As OpenLineage writes its own: the facet under the name that it has in an event. */
const inEvent = (name: string, schema: Schema): Schema => ({ type: 'object', properties: { [name]: schema } });

export const eventSchemas: Readonly<Record<string, Schema>> = Object.fromEntries([
  publish('audit', audit),
  publish('checkpoint', { type: 'string', description: 'A signed checkpoint: c2sp.org/tlog-checkpoint as c2sp.org/signed-note.' }),
  publish('usage', usage),
  publish(
    'lineage-evidence',
    inEvent(
      'bauta_evidence',
      facet(
        'Run facet: by what the run is found in the audit log.',
        open({ run: word, environment: orNull(word), planDigest: orNull(word), policy: orNull({ type: 'object' }) }),
      ),
    ),
  ),
  publish(
    'lineage-processing',
    inEvent(
      'processing',
      facet(
        'Job facet: purpose and legal basis of the processing (Art. 30 and 6 GDPR), as the pipeline states them.',
        open(
          { purpose: word },
          { legal_basis: oneOf('consent', 'contract', 'legal-obligation', 'vital-interests', 'public-task', 'legitimate-interest') },
        ),
      ),
    ),
  ),
]);
