// The form of every document, once: validation, the published docs/schema/*.json and the words in messages all come from here.
import type { Definition } from '../pipeline/definition.js';
import { channel } from './channel-schema.js';
import { check } from './check-schema.js';
import { gate } from './gate-schema.js';
import { issuer } from './issuer-schema.js';
import { playbook, watch } from './watch-schema.js';
import { connectionForm, environment, environmentName, grantsSchema, organisation, place, retentionDays } from './place-schemas.js';
import {
  type Schema, connection, date, documentName, either, head, imports, list, members, oneOf, reason, reasoned, record, region, tag, text,
} from './schema-words.js'; // prettier-ignore

export type { Schema } from './schema-words.js';
export { grantsSchema } from './place-schemas.js';

const scope = oneOf('value', 'subject', 'row');
const word = text('a name in kebab-case', { pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$' });

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

const pipeline = members(
  {
    ...head('Pipeline'),
    source: either(connection, members({ connection }, { region, writable: reasoned }, 'connection, region, writable')),
    target: either(
      environmentName,
      members({ environment: environmentName, ...place.required }, place.optional, 'connection, environment, class and allows'),
    ),
    classification: documentName,
    purpose: text('what the copy is for'),
    owner: text('who answers for the copy'),
    legalBasis: text('the legal basis, for example GDPR Art. 6(1)(f)'),
    subjectCategories: list(text('a category of people'), 'a list of categories of people'),
    retentionDays,
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
    checks: { ...list(check, 'a list of checks'), maxItems: 1000 },
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

const parameters = members(
  {},
  {
    priority: { type: 'integer', minimum: 0, maximum: 9, description: 'a number from 0 to 9, the greater first' },
    deadlineMinutes: { type: 'integer', minimum: 1, maximum: 10_080, description: 'minutes from 1 to 10080' },
  },
  'priority and deadlineMinutes',
);

const schedule = members(
  { ...head('Schedule'), pipeline: documentName, cron },
  {
    timeZone,
    startDate: date,
    when: oneOf('always', 'schema-changed'),
    catchUp: { type: 'boolean', description: 'true or false' },
    overlap: { type: 'boolean', description: 'true or false' },
    parameters,
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
    clones: text('what clones are called before the number of a pull request, such as pr-', {
      maxLength: 40,
      pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]*$',
    }),
  },
  'form, secret, events, branches and clones',
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
  { parameters, playbook: documentName },
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

export const documentSchemas: Readonly<Record<Definition['kind'], Schema>> = {
  Pipeline: { $schema: draft, title: 'Pipeline', ...pipeline },
  Classification: { $schema: draft, title: 'Classification', ...classification },
  Rulebook: { $schema: draft, title: 'Rulebook', ...rulebook },
  Schedule: { $schema: draft, title: 'Schedule', ...schedule },
  Trigger: { $schema: draft, title: 'Trigger', ...trigger },
  Connection: { $schema: draft, title: 'Connection', ...connectionForm },
  Environment: { $schema: draft, title: 'Environment', ...environment },
  Channel: { $schema: draft, title: 'Channel', ...channel },
  Organisation: { $schema: draft, title: 'Organisation', ...organisation },
  Issuer: { $schema: draft, title: 'Issuer', ...issuer },
  Gate: { $schema: draft, title: 'Gate', ...gate },
  Watch: { $schema: draft, title: 'Watch', ...watch },
  Playbook: { $schema: draft, title: 'Playbook', ...playbook },
};

export const lockSchema: Schema = { $schema: draft, title: 'classification.lock', ...lock };

/** The published files under docs/schema, by name. */
export const publishedSchemas: Readonly<Record<string, Schema>> = {
  ...Object.fromEntries(Object.entries(documentSchemas).map(([kind, schema]) => [`${kind.toLowerCase()}.json`, schema])),
  'classification-lock.json': lockSchema,
  'grants.json': { $schema: draft, title: 'grants', ...grantsSchema },
};
