// The form of every document, once: validation, the published docs/schema/*.json and the words in messages all come from here.
// `description` says what is expected and stands in the message when a value does not fit.
import type { Json } from '../kernel/canonical-json.js';

export type Schema = { readonly [keyword: string]: Json };

const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', minLength: 1, maxLength: 2000, description, ...more });
const list = (items: Schema, description: string): Schema => ({ type: 'array', items, description });
const record = (values: Schema, description: string): Schema => ({ type: 'object', additionalProperties: values, description });
const oneOf = (...words: readonly string[]): Schema => ({ type: 'string', enum: words, description: `one of ${words.join(', ')}` });

function members(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
  description = 'members',
): Schema {
  return {
    type: 'object',
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
    description,
  };
}

/** A text as the short form beside the full one. `if` keeps the problems of the form that was meant, where `anyOf` would report both. */
function either(short: Schema, full: Schema): Schema {
  const kinds = full['type'] as Json;
  return {
    type: ['string', ...(Array.isArray(kinds) ? (kinds as readonly string[]) : [kinds as string])],
    description: `${short['description'] as string}, or ${full['description'] as string}`,
    if: { type: 'string' },
    then: short,
    else: full,
  };
}

const date = text('a day as YYYY-MM-DD', { pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$' });
const reason = text('a sentence that says why', { minLength: 8 });
const reasoned = either(reason, members({ reason }, { expires: date }, 'reason and expires'));
const connection = text('env:NAME or file:PATH', { pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:[^\\0]+)$' });
const tag = text('a tag such as pii.email, or none', { pattern: '^[a-z]+([.-][a-z]+)*$' });
const scope = oneOf('value', 'subject', 'row');
const word = text('a name in kebab-case', { pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$' });
const region = text('a region such as eu-west-1', { pattern: '^[A-Za-z0-9-]{2,40}$' });
const documentName = text('a name of letters, digits, dot, dash and underscore', { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' });

const head = (kind: string): Readonly<Record<string, Schema>> => ({ kind: { const: kind, description: kind }, name: documentName });
const imports: Readonly<Record<string, Schema>> = {
  import: either(text('a path below the folder of the first document'), list(text('a path'), 'a list of paths')),
};

const ruleMembers: Readonly<Record<string, Schema>> = {
  params: record({ description: "a value that fits the transform's parameter" }, "the transform's parameters"),
  scope,
  domain: text('a domain such as pii.email', { pattern: '^[a-z0-9]+([.-][a-z0-9]+)*$' }),
};
const rule = either(word, members({ transform: word }, { ...ruleMembers, reason, expires: date }, 'transform, params, scope, domain'));

const rows = either(
  text('all, none, or where and an SQL condition', { pattern: '^(all|none|where\\s[\\s\\S]+)$' }),
  members({ where: text('an SQL condition') }, {}, 'where'),
);

const role = text('the name of a role', { maxLength: 63 });
const roles = members(
  {},
  { owner: role, readWrite: role, readOnly: role, map: record(role, 'roles of the source with roles of the target') },
  'owner, readWrite, readOnly and map',
);

const pipeline = members(
  {
    ...head('Pipeline'),
    source: either(connection, members({ connection }, { region, writable: reasoned }, 'connection, region, writable')),
    target: members(
      {
        connection,
        environment: text('the name of the environment', { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' }),
        class: oneOf('ci', 'dev', 'test', 'staging', 'vendor', 'production'),
        allows: list(
          text('pii, pci, phi, secret, quasi or a tag', { pattern: '^[a-z]+([.-][a-z]+)*$' }),
          'a list of tags or their first words',
        ),
      },
      {
        region,
        safeguard: text('the name of a safeguard'),
        sameServer: reasoned,
        adopt: reasoned,
        keepVersions: { type: 'integer', minimum: 1, maximum: 20, description: 'a count from 1 to 20' },
        roles,
      },
      'connection, environment, class and allows',
    ),
    classification: documentName,
    purpose: text('what the copy is for'),
    owner: text('who answers for the copy'),
    legalBasis: text('the legal basis, for example GDPR Art. 6(1)(f)'),
    subjectCategories: list(text('a category of people'), 'a list of categories of people'),
    retentionDays: { type: 'integer', minimum: 1, maximum: 3650, description: 'days from 1 to 3650' },
  },
  {
    ...imports,
    include: list(text('a pattern over schema.table'), 'a list of patterns'),
    exclude: list(text('a pattern over schema.table'), 'a list of patterns'),
    tables: record(either(rows['then'] as Schema, members({ rows }, {}, 'rows')), 'tables by name'),
    rulebook: documentName,
    overrides: list(
      members(
        { columns: list(text('a pattern over schema.table.column'), 'a list of patterns'), reason },
        { path: text('a path in a json column'), transform: word, ...ruleMembers, expires: date },
        'columns, transform and reason',
      ),
      'a list of overrides',
    ),
    schemaTexts: list(
      members(
        { object: text('kind and name of an object'), action: oneOf('keep', 'drop'), reason },
        { expires: date },
        'object, action and reason',
      ),
      'a list of objects',
    ),
    after: list(text('a path of an SQL file'), 'a list of paths'),
    approval: oneOf('required'),
  },
  'a Pipeline',
);

const paths = members(
  { paths: record(tag, 'paths with their tags') },
  { rest: oneOf('drop', 'keep'), reason, expires: date },
  'paths, rest, reason and expires',
);

const classification = members(
  {
    ...head('Classification'),
    tables: record(
      members(
        {},
        {
          person: { type: 'boolean', description: 'true or false' },
          subject: text('foreign-key columns such as order_id.customer_id'),
          columns: record(either(tag, { ...paths, dependentRequired: { reason: ['rest'], expires: ['rest'] } }), 'columns with their tags'),
          keep: list(
            members({ columns: list(text('a column'), 'a list of columns'), reason }, { expires: date }, 'columns and reason'),
            'a list of keeps',
          ),
        },
        'person, subject, columns and keep',
      ),
      'tables by name',
    ),
  },
  { ...imports, patterns: record(tag, 'patterns with their tags') },
  'a Classification',
);

const rulebook = members({ ...head('Rulebook'), rules: record(either(word, ruleList()), 'tags with their rules') }, imports, 'a Rulebook');

/** A transform's name, a full rule, or several in order of preference. */
function ruleList(): Schema {
  const full = rule['else'] as Schema;
  return {
    type: ['object', 'array'],
    description: 'a rule or a list of rules',
    if: { type: 'array' },
    then: { type: 'array', items: rule, minItems: 1, description: 'a list of rules' },
    else: full,
  };
}

const cron = text('a cron expression of five or six fields, or @hourly, @daily, @weekly or @monthly', { maxLength: 200 });
const timeZone = text('a time zone such as Europe/Berlin', { maxLength: 64 });

const schedule = members(
  { ...head('Schedule'), pipeline: documentName, cron },
  {
    timeZone,
    startDate: date,
    catchUp: { type: 'boolean', description: 'true or false' },
    overlap: { type: 'boolean', description: 'true or false' },
  },
  'a Schedule',
);

const hookSecret = text('env:BAUTA_CONN_HOOK_NAME or file:webhooks/NAME', {
  pattern: '^(env:BAUTA_CONN_HOOK_[A-Z0-9_]{1,100}|file:webhooks/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99})$',
});
const webhook = members(
  { form: oneOf('github', 'gitlab', 'hmac'), secret: hookSecret },
  {
    events: list(text('an event such as push, or Push Hook', { maxLength: 60 }), 'a list of events'),
    branches: list(text('a branch', { maxLength: 200 }), 'a list of branches'),
  },
  'form, secret, events and branches',
);

const trigger = members(
  {
    ...head('Trigger'),
    pipeline: documentName,
    on: {
      ...members({}, { webhook, dataset: documentName }, 'webhook or dataset'),
      minProperties: 1,
      maxProperties: 1,
    },
  },
  {},
  'a Trigger',
);

const lock = members(
  {
    version: { const: 1, description: '1' },
    columns: record(
      members({ tag: text('a tag'), by: text('who confirmed'), at: text('when, as RFC 3339') }, {}, 'tag, by and at'),
      'columns by schema.table.column',
    ),
  },
  {},
  'a classification.lock',
);

const draft = 'https://json-schema.org/draft/2020-12/schema';

export const documentSchemas: Readonly<Record<'Pipeline' | 'Classification' | 'Rulebook' | 'Schedule' | 'Trigger', Schema>> = {
  Pipeline: { $schema: draft, title: 'Pipeline', ...pipeline },
  Classification: { $schema: draft, title: 'Classification', ...classification },
  Rulebook: { $schema: draft, title: 'Rulebook', ...rulebook },
  Schedule: { $schema: draft, title: 'Schedule', ...schedule },
  Trigger: { $schema: draft, title: 'Trigger', ...trigger },
};

export const lockSchema: Schema = { $schema: draft, title: 'classification.lock', ...lock };

/** The published files under docs/schema, by name. */
export const publishedSchemas: Readonly<Record<string, Schema>> = {
  'pipeline.json': documentSchemas.Pipeline,
  'classification.json': documentSchemas.Classification,
  'rulebook.json': documentSchemas.Rulebook,
  'classification-lock.json': lockSchema,
  'schedule.json': documentSchemas.Schedule,
  'trigger.json': documentSchemas.Trigger,
};
