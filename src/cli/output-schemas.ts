// The form of what each command writes to stdout with --json, as published under docs/schema/output-*.json. Tests hold the outputs to it.
import { markerStates } from '../pipeline/marked-datasets.js';
import { toAgentSchemas } from './output-agents.js';
import { toEvidenceSchemas } from './output-evidence.js';
import { toIncidentSchemas } from './output-incidents.js';
import { toGateSchemas } from './output-gate.js';
import { toPolicySchemas } from './output-policy.js';
import { attestation, toLifeSchemas } from './output-life.js';
import { checkResultSchema as checkResult, privacySchema } from '../documents/documents.js';
import { toReconciledSchema, toReportsSchema } from './output-reports.js';
import { type Schema, count, flag, list, object, oneOf, orNull, text } from './schema-words.js';

const placeTexts = ['stage', 'run', 'connection', 'schema', 'table', 'column', 'constraint', 'object', 'type', 'path', 'file', 'rule', 'sqlState', 'name', 'expected', 'amount']; // prettier-ignore
const where: Schema = {
  ...object(
    {},
    {
      ...Object.fromEntries(placeTexts.map((name) => [name, { type: 'string' }])),
      ...Object.fromEntries(['line', 'row', 'batch', 'range'].map((name) => [name, { type: 'integer', minimum: 0 }])),
    },
  ),
  description: 'names, positions and counts; never a value of a row',
};
const severity = oneOf('error', 'warning');
const told = { code: text('see docs/errors.md'), where, message: text('what'), hint: text('what to do') };
const finding = object({ ...told, severity });
const error = object(told);
const findings = list(finding, 'everything that was found by looking');
const suggested = { tag: text('a tag'), rule: text('which rule suggests it'), confidence: { type: 'number', minimum: 0, maximum: 1 } };

const decision = object(
  {
    decisionId: text('of this answer'),
    allow: flag('false: nothing was read'),
    reasons: list(
      object({
        code: text('see docs/policies.md'),
        controlIds: list(text('a control'), 'controls that the rule serves'),
        message: text('what'),
        hint: text('what to do'),
      }),
      'every reason against it',
    ),
    policy: object({ revision: text('of the rules'), digest: text('of the rules') }),
  },
  {
    others: list(
      object(
        { name: oneOf('user', 'server'), revision: text('of its rules'), digest: text('of its rules') },
        { refused: text('why a newer one is not in force: see docs/errors.md') },
      ),
      'what was asked beside these rules, and had to have nothing against it',
    ),
  },
);

const verdict = object(
  {
    schema: text('name'),
    table: text('name'),
    column: text('name'),
    tag: text('of the column or path'),
    verdict: oneOf('zero', 'rate', 'not testable'),
    why: text('what that means here'),
    rows: count('of the table'),
    originals: count('rows of this column of the output that hold an original which may not stand there'),
    laws: object({
      values: count('of a sample, NULL included'),
      tested: list(text('of a law'), 'what they were held to'),
      untested: list(text('of a law'), 'declared, and no value of the sample could be held to it'),
    }),
  },
  {
    path: text('inside the value'),
    atLeast: { const: true, description: 'there are more originals than were compared with the source' },
    pairs: object({
      by: oneOf('key', 'place'),
      rows: count('that were compared'),
      distinct: count('originals among them'),
      unchanged: count('of these came out as they were'),
      expected: count('of these by chance'),
      notOne: count('originals with more than one pseudonym'),
    }),
  },
);

const names = list(text('name'), 'columns');
const run = object(
  {
    runId: orNull(text('null: it did not come to a run')),
    state: oneOf('published', 'reused', 'withheld', 'denied', 'failed', 'cancelled', 'compensation-failed'),
    dataset: orNull(
      object(
        { target: text('database'), version: { type: 'integer', minimum: 1 }, planDigest: text('of the plan') },
        { database: text('database') },
      ),
    ),
    tables: list(
      object({ name: text('schema.table'), rows: count('rows'), bytes: count('of COPY text'), seconds: count('seconds') }),
      'what was loaded',
    ),
    findings,
    verdicts: list(verdict, 'what verification decided for each personal column and path'),
    checks: list(checkResult, "what the pipeline's checks counted"),
    privacy: orNull(privacySchema),
    decision: orNull(decision),
    pruned: list(
      object({ target: text('database'), version: count('of the dataset'), run: text('that made it'), attestation }),
      'versions beyond `keepVersions` that ended with the publication',
    ),
    seconds: count('of the whole run'),
    rowsPerSecond: count('while rows moved'),
    peakRssBytes: count('of all threads'),
    checkpoint: orNull(object({ origin: text('of the log'), size: count('entries'), root: text('RFC 6962 root, base64') })),
  },
  {
    error,
    reused: object({
      ...{
        target: text('database'),
        version: { type: 'integer', minimum: 1 },
        planDigest: text('of the plan'),
        runId: text('that made it'),
      },
      ...{ readAt: text('when its rows were read'), ageSeconds: count('since then') },
      unchangedUntil: text('what was committed at the source after this instant may not be counted yet'),
      expiresAt: text('by its marker'),
    }),
  },
);

const ruleView = {
  tag: text('a tag, or none'),
  transform: text('see docs/transforms.md; paths where paths decide'),
  scope: oneOf('value', 'subject', 'row'),
  domain: text('pseudonyms are shared within it'),
  reveals: list(text('what is let through'), 'what it lets through'),
  bestEffort: flag('finds some, not all'),
  reversible: flag('who may can exchange it back'),
  recallPercent: orNull(count('how much of a hundred it finds, as measured')),
};
const columnView = object({
  column: text('name'),
  type: text('as the server prints it'),
  ...ruleView,
  unique: flag('must stay unique'),
  why: text('who said what it is'),
  reason: orNull(text('of a keep or an override')),
  expires: orNull(text('last day of the reason')),
  distinct: orNull(count('distinct values, by statistics')),
  paths: list(object({ path: text('inside the value'), ...ruleView }), 'rules by path'),
  rest: orNull(oneOf('refuse', 'drop', 'keep')),
});
const tableView = object({
  schema: text('name'),
  table: text('name'),
  rows: oneOf('all', 'none', 'where'),
  estimatedRows: orNull(count('by statistics')),
  bytes: count('at the source'),
  joins: list(text('schema.table'), 'tables that lead to the person of a row'),
  loadInto: orNull(text('schema.table of the root that rows go in through')),
  columns: list(columnView, 'in the order of the table'),
});
const rights = object({
  role: text('of the target, or PUBLIC'),
  privileges: list(text('as GRANT has it; none: what PUBLIC has of itself is taken from it'), 'what it may do'),
  on: list(text('an object, a column, or what is made later'), 'with what'),
});
const rolesView = object({
  rights: list(rights, 'beside those of the owner'),
  leftOut: list(text('a role of the source'), 'roles that were granted something and are not mapped'),
});
const keysView = object({
  join: orNull(object({ environment: text('name'), reason: text('why') }, { tokens: flag('tokens are shared, too') })),
  previous: orNull(object({ version: count('number'), until: text('last day') })),
});
const planView = object({
  pipeline: text('name'),
  environment: text('name'),
  keyVersion: count('number'),
  tokenKeyVersion: orNull(count('number; null: nothing can be exchanged back')),
  keys: orNull(keysView),
  planDigest: text('sha256:…'),
  tables: list(tableView, 'sorted by name'),
  roles: orNull(rolesView),
  maskedColumns: count('columns'),
  keptColumns: count('columns'),
  bytes: count('to copy'),
  peakDiskBytes: count('an upper estimate for the target'),
});
const plan = object(
  { planDigest: orNull(text('sha256:…')), plan: orNull(planView), findings, decision: orNull(decision) },
  {
    sample: list(
      object({ table: text('schema.table'), columns: list(text('name'), 'columns'), rows: list(list(text('masked'), 'fields'), 'rows') }),
      'masked previews',
    ),
    error,
  },
);

const versionMembers = {
  target: text('database'),
  version: { type: 'integer', minimum: 1 },
  state: oneOf('staging', 'current', 'previous'),
  runId: text('of the run that made it'),
  database: text('where it is'),
  planDigest: text('sha256:…'),
  publishedAt: orNull(text('RFC 3339')),
};
const versionSchema = {
  schema: text('of its marker, where versions are schemas'),
  closed: oneOf('expiring', 'quarantined'),
  rolledBack: flag('it lost its place by a roll-back: the next one does not return to it'),
  heldUntil: text('RFC 3339: nothing drops it before'),
};
const version = object(versionMembers, versionSchema);
/** With what its marker says of it. */
const marked = object({ ...versionMembers, marker: oneOf(...markerStates) }, versionSchema);
const datasets = object({ datasets: list(marked, 'versions'), findings }, { error });
/** As docs/openapi.json has it, where it is described in full. */
const ofTheApi = (path: string): Schema => ({ type: 'object', description: `as GET ${path} answers: docs/openapi.json` });

const clone = object({
  ...{ id: text('under which the log has it'), target: text('database'), for: text('what it was asked for') },
  ...{ database: text('its database, and its role'), version: count('of what it is a copy'), runId: text('that made the version') },
  ...{ planDigest: text('sha256:…'), bytes: count('of the version'), madeAt: text('RFC 3339') },
  ...{ expiresAt: text('when it is dropped'), lastsUntil: text('when its version expires') },
});
const clones = object(
  { clones: list({ anyOf: [clone, ofTheApi('/v1/environments/{name}/clones')] }, 'with make and drop: the one'), findings },
  { connection: text('with make: the connection string, or with --out file: and its path; shown once'), error },
);
const check = object(
  {
    passed: flag('no check that withholds failed, and all were made'),
    database: orNull(text('that was asked')),
    version: orNull({ type: 'integer', minimum: 1, description: 'by its marker, or as the run says' }),
    run: orNull(text('with --server: the run that made them')),
    checks: list(checkResult, 'what each counted'),
    findings,
  },
  {
    rows: list(
      object({
        check: text('its name'),
        columns: names,
        rows: list(list(orNull(text('as it stands in the masked copy')), 'a row'), 'rows'),
      }),
      'with --rows: of each check that failed',
    ),
    error,
  },
);
const rollback = object({ dataset: orNull(version), findings }, { error });
const { expire, drift, hold, revoke, erase, breach } = toLifeSchemas({ findings, error });
const { decisions, gate, breakglass } = toGateSchemas(error);
const doctor = object(
  {
    ok: flag('nothing stands in the way of a run'),
    checks: list(object({ name: text('of the check'), ok: flag('passed'), detail: text('what was seen'), findings }), 'in order'),
    findings,
  },
  { error },
);

const suggestion = object(
  { schema: text('name'), table: text('name'), column: text('name'), ...suggested },
  { path: text('inside the value'), follows: text('the joined column under which the tag stands') },
);
/** One form for each of the things that the command does, and one for when it could not. */
const classify: Schema = {
  type: 'object',
  anyOf: [
    object({ suggestions: list(suggestion, 'by table and column'), unknown: count('columns that a person has to decide'), findings }),
    object({
      passed: flag('nothing is new'),
      findings: list(object({ ...told, severity }, { suggestion: object(suggested) }), 'with a suggestion where there is one'),
    }),
    object({
      file: text('the lock'),
      confirmed: list(text('schema.table.column'), 'confirmed now'),
      removed: list(text('schema.table.column'), 'gone'),
      columns: count('confirmed in all'),
    }),
    object({ findings, error }),
  ],
};

const lastRun = object({ id: text('of the run'), state: text('of the run'), dueAt: orNull(text('RFC 3339')) });
/** One form for when schedules are due, and one for how they stand. */
const schedules: Schema = {
  type: 'object',
  anyOf: [
    object({
      due: list(
        object(
          { name: text('of the schedule'), dueAt: text('RFC 3339'), local: text('on the clock of its zone, with its offset') },
          { change: oneOf('moved', 'first of two') },
        ),
        'in order, by schedule',
      ),
      findings,
    }),
    object(
      {
        schedules: list(
          object({
            ...{ name: text('of the schedule'), version: count('of the document'), paused: flag('nothing is due') },
            ...{ nextDueAt: orNull(text('RFC 3339')), lastRun: orNull(lastRun) },
          }),
          'by name',
        ),
        findings,
      },
      { error },
    ),
  ],
};

const change = object(
  { path: text('JSON pointer') },
  { before: { description: 'absent: it was not there' }, after: { description: 'absent: it is gone' } },
);
const apply = object(
  {
    dryRun: flag('nothing was applied'),
    applied: list(
      object({
        ...{
          kind: text('of the document'),
          name: text('of the document'),
          version: { type: 'integer', minimum: 1 },
          digest: text('sha256:…'),
        },
        ...{ change: oneOf('created', 'changed', 'unchanged'), diff: list(change, 'by member') },
      }),
      'every document of the request',
    ),
    findings,
  },
  {
    lowers: list(ofTheApi('/v1/apply'), 'what the change lowers'),
    blastRadius: { ...ofTheApi('/v1/apply'), description: 'what it reaches' },
    approval: object({ id: text('of the approval that it waits for'), expiresAt: text('RFC 3339') }),
    error,
  },
);
const runs = object({ runs: list(ofTheApi('/v1/runs'), 'newest first; with show, one with its stages'), findings }, { error });
const environments = object({ environments: list(ofTheApi('/v1/environments'), 'by name'), findings }, { error });
const approvals = object({ approvals: list(ofTheApi('/v1/approvals'), 'newest first'), findings }, { error });

const access = object(
  { reviews: list(ofTheApi('/v1/access-reviews'), 'newest first; with review and show the one'), findings },
  { items: list(ofTheApi('/v1/access-reviews/{id}/items'), 'with show: all of them; with keep and revoke: the one'), error },
);
const people = object({ people: list(ofTheApi('/v1/people'), 'as they are now'), findings }, { error });
const apikeys = object(
  { findings },
  {
    keys: list(ofTheApi('/v1/apikeys'), 'with list: never the secrets'),
    key: { ...ofTheApi('/v1/apikeys'), description: 'with make: with its secret `token`, this once' },
    approval: text('with make: id of the approval that it waits for'),
    revoked: text('with revoke: id of the key'),
    error,
  },
);
const secrets = object(
  { findings },
  { connection: text('its name'), from: text('the role that was in use'), to: text('the role that is in use now'), error },
);
const detokenize = object(
  {
    values: list(text('what a token stands for'), 'in the order of the tokens'),
    keyVersion: orNull(count('number; null: each token knows its own')),
    findings,
  },
  { error },
);
const load = object(
  {
    state: oneOf('loaded', 'kept', 'checked', 'unchecked', 'failed'),
    ...{ target: orNull(text('database in which it was published')), version: orNull({ type: 'integer', minimum: 1 }) },
    ...{ environment: orNull(text('of the pipeline')), madeAt: orNull(text('RFC 3339')), expiresAt: orNull(text('RFC 3339')) },
    ...{ tables: count('of the archive'), rows: count('of the archive'), database: orNull(text('into which it was loaded')) },
    file: orNull(text('where it is kept')),
    findings,
  },
  { error },
);

const hierarchy = {
  purpose: oneOf('masking', 'token', 'transport'),
  workspace: text('name'),
  environment: text('name'),
};
const keyVersion = object({
  version: count('number'),
  state: oneOf('current', 'kept', 'destroyed', 'missing'),
  madeAt: orNull(text('RFC 3339')),
  expiresAt: orNull(text('RFC 3339')),
  destroyedAt: orNull(text('RFC 3339')),
  check: orNull(text('by which it is known again')),
  usedBy: list(
    object({
      ...{ pipeline: text('name'), environment: text('of the copies'), target: text('database') },
      ...{ datasets: count('versions of the dataset'), lastAt: text('RFC 3339') },
    }),
    'what was made with it',
  ),
});
const keysOf = object({ ...hierarchy, versions: list(keyVersion, 'oldest first') });
const rotated = object({
  ...hierarchy,
  from: orNull(count('number')),
  version: count('number'),
  check: text('by which it is known again'),
});
const madeWith = object(
  {
    ...{ version: count('of the key'), pipeline: text('name'), environment: text('of the copies'), target: text('database') },
    ...{ datasets: list(count('number'), 'versions of the dataset'), lastAt: text('RFC 3339') },
  },
  { until: text('last day on which the version was to be used') },
);
const destroyed = object({
  ...{ ...hierarchy, upTo: count('number') },
  versions: list(object({ version: count('number'), check: orNull(text('as the log recorded it')) }), 'that are no more'),
  madeWith: list(madeWith, 'copies that stay, and stay personal data'),
  cannotReach: list(
    object({ what: text('what'), state: oneOf('declared', 'unknown') }, { comment: text('what was declared') }),
    'beyond us',
  ),
});
/** One of the three: of list, of rotate, of destroy. */
const keys = object(
  { findings },
  {
    keys: list(keysOf, 'by purpose, workspace and environment'),
    rotated,
    dryRun: flag('nothing was destroyed'),
    destroyed: orNull(destroyed),
    approval: object({ id: text('of the approval that a destruction at a service waits for'), expiresAt: text('RFC 3339') }),
    error,
  },
);

/** The published files under docs/schema, by name. */
export const outputSchemas: Readonly<Record<string, Schema>> = Object.fromEntries(
  Object.entries({
    run,
    plan,
    check,
    datasets,
    environments,
    clones,
    rollback,
    expire,
    erase,
    breach,
    decisions,
    breakglass,
    gate,
    drift,
    hold,
    revoke,
    doctor,
    classify,
    schedules,
    'report-reconcile': toReconciledSchema({ findings, error }),
    reports: toReportsSchema({ findings, error }),
    apply,
    runs,
    approvals,
    people,
    access,
    apikeys,
    secrets,
    load,
    keys,
    pull: load,
    ...toEvidenceSchemas({ findings, error }),
    ...toIncidentSchemas({ findings, error }),
    ...toAgentSchemas({ findings, error }),
    ...toPolicySchemas({ findings, error }),
    detokenize,
  }).map(([command, schema]) => [
    `output-${command}.json`,
    { $schema: 'https://json-schema.org/draft/2020-12/schema', title: `bauta ${command} --json`, ...schema },
  ]),
);
