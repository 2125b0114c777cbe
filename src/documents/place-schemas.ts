// The forms of where things are and who answers for them: connections, environments, the organisation; and the operator's grants.
import { reaches } from '../pipeline/definition.js';
import { tagClasses } from '../pipeline/tags.js';
import {
  type Schema, connection, date, head, imports, list, members, oneOf, reason, reasoned, record, reference, region, text,
} from './schema-words.js'; // prettier-ignore

const days: Schema = { type: 'integer', minimum: 0, maximum: 36_500, description: 'days; 0: there are none' };

const role = text('the name of a role', { maxLength: 63 });
const roles = members(
  {},
  { owner: role, readWrite: role, readOnly: role, map: record(role, 'roles of the source with roles of the target') },
  'owner, readWrite, readOnly and map',
);

export const environmentName = text('the name of an environment', { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' });
/** An archive is sealed to the environment's key, and to these public keys too. */
const file = members(
  {},
  {
    recipients: list(text('the public key of an age identity, age1…', { pattern: '^age1[02-9ac-hj-np-z]{58}$' }), 'a list of public keys'),
  },
  'recipients, or nothing',
);
export const retentionDays: Schema = { type: 'integer', minimum: 1, maximum: 3650, description: 'days from 1 to 3650' };

/** Forms and parameters are those of the transform `token`, which judges them when it is planned. */
const tokenDomain = members(
  {
    reason,
    form: oneOf('card', 'digits', 'lower', 'upper', 'letters', 'lower-alphanumeric', 'upper-alphanumeric', 'alphanumeric'),
    sources: list(
      text('SYSTEM_IDENTIFIER/DATABASE of a source, as plan prints it', { pattern: '^[0-9]{1,20}/[^/\\s]{1,63}$' }),
      'the sources that feed the domain',
    ),
  },
  {
    expires: date,
    purposes: list(text('a word such as refunds', { pattern: '^[a-z][a-z-]{1,39}$' }), 'what it may be exchanged for, in words'),
    vaulted: { type: 'boolean', description: 'true or false' },
    prefix: text('how each value begins', { maxLength: 32 }),
    suffix: text('how each value ends', { maxLength: 32 }),
    separators: text('signs that stay where they are', { minLength: 0, maxLength: 16 }),
    testPrefix: text('digits before those of a card token', { pattern: '^[0-9]{1,6}$' }),
  },
  'reason, form, sources, expires, purposes, vaulted, prefix, suffix, separators and testPrefix',
);

/** Whose keys an environment has, and which version for a while: each with its reason, or its end. */
const keys: Schema = members(
  {},
  {
    join: members(
      { environment: environmentName, reason },
      { tokens: { type: 'boolean', description: 'true or false' } },
      'environment, reason and tokens',
    ),
    previous: members(
      { version: { type: 'integer', minimum: 1, maximum: 999_999_999, description: 'the number of a key version' }, until: date },
      {},
      'version and until',
    ),
  },
  'join and previous',
);

const forReason = members({ reason }, {}, 'reason');
const isAvro: Schema = { properties: { format: { const: 'avro' } }, required: ['format'] };
const rows: Schema = {
  ...members(
    { format: oneOf('connect-json', 'json', 'avro') },
    {
      numeric: oneOf('text', 'decimal'),
      arrays: oneOf('list', 'text'),
      floats: oneOf('number', 'text'),
      registry: members(
        {
          url: text('https://HOST, where the paths of the schema registry begin; http on this machine only', {
            pattern: '^(https://[^\\s/@?#]+|http://(127\\.0\\.0\\.1|localhost)(:[0-9]{1,5})?)(/[^\\s/@?#]+)*$',
          }),
        },
        { login: reference },
        'url and login',
      ),
      readers: list(text('a principal such as User:spark', { pattern: '^User:(?!ANONYMOUS$)[^\\s*,;]{1,200}$' }), 'a list of principals'),
      transactionMegabytes: { type: 'integer', minimum: 0, maximum: 65_536, description: 'megabytes up to 65536; 1024 when left out' },
      transactionMinutes: { type: 'integer', minimum: 1, maximum: 1440, description: 'minutes from 1 to 1440; 15 when left out' },
    },
    'format, numeric, arrays, floats, registry, readers, transactionMegabytes and transactionMinutes',
  ),
  ...{ if: isAvro, then: { required: ['registry'] }, else: { properties: { registry: false } } },
};
const isRows: Schema = { properties: { encoding: { const: 'rows' } }, required: ['encoding'] };
const kafka: Schema = {
  ...members(
    {},
    {
      encoding: oneOf('bulk', 'rows'),
      rows,
      database: text("the name of the dataset, which is that of the agents' database", { maxLength: 63 }),
      topics: oneOf('create'),
      partitions: { type: 'integer', minimum: 1, maximum: 1000, description: 'a count from 1 to 1000; 4 when left out' },
      replication: { type: 'integer', minimum: 1, maximum: 32, description: "a count from 1 to 32; the broker's own when left out" },
      agents: { type: 'integer', minimum: 1, maximum: 1000, description: 'a count from 1 to 1000; 1 when left out' },
      waitMinutes: { type: 'integer', minimum: 1, maximum: 10_080, description: 'minutes from 1 to 10080; 30 when left out' },
      clear: forReason,
      prefix: text('what topics begin with', { pattern: '^[a-z][a-z0-9]{0,30}$' }),
      proving: connection,
    },
    'encoding, rows, database, topics, partitions, replication, agents, waitMinutes, clear, prefix and proving, or nothing',
  ),
  // Nobody loads rows for us: who waits for agents, or seals to them, means the other encoding.
  ...{
    if: isRows,
    then: { required: ['rows'], properties: { agents: false, waitMinutes: false, clear: false } },
    else: { properties: { rows: false } },
  },
};

const share: Schema = { type: 'number', minimum: 0, maximum: 1, description: 'a share from 0 to 1' };
const groups: Schema = { type: 'integer', minimum: 1, maximum: 1e6, description: 'a whole number from 1 on' };
/** What is left out is as the class has it; what is laxer than that takes a reason. */
export const privacyLimits = {
  ...{
    maxLinked: share,
    maxGuessed: share,
    maxUnique: share,
    minK: groups,
    maxBelow: share,
    minL: groups,
    maxT: share,
    maxFollowed: share,
  },
};
const privacy: Schema = members(
  {},
  { ...privacyLimits, severity: oneOf('warn', 'withhold'), reason },
  `${Object.keys(privacyLimits).join(', ')}, severity and reason`,
);

/** What a pipeline's own target and an Environment have in common. */
export const place = {
  required: {
    connection,
    class: oneOf('ci', 'dev', 'test', 'staging', 'vendor', 'production'),
    allows: list(text(`${tagClasses.join(', ')} or a tag`, { pattern: '^[a-z]+([.-][a-z]+)*$' }), 'a list of tags or their first words'),
  },
  optional: {
    region,
    safeguard: text('the name of a safeguard'),
    sameServer: reasoned,
    adopt: reasoned,
    swapSchemas: members({ reason, builder: connection }, {}, 'reason and builder'),
    clones: members(
      {},
      {
        max: { type: 'integer', minimum: 1, maximum: 500, description: 'a count from 1 to 500; 10 when left out' },
        hours: { type: 'integer', minimum: 1, maximum: 2160, description: 'hours from 1 to 2160; 24 when left out' },
        megabytes: { type: 'integer', minimum: 1, maximum: 1_000_000_000, description: 'megabytes' },
      },
      'max, hours and megabytes',
    ),
    keepVersions: { type: 'integer', minimum: 1, maximum: 20, description: 'a count from 1 to 20' },
    roles,
    privacy,
    onDrift: oneOf('alert', 'quarantine', 'provision'),
    keepExpired: members(
      { hours: { type: 'integer', minimum: 1, maximum: 720, description: 'hours from 1 to 720' }, reason },
      {},
      'hours and reason',
    ),
    declared: members(
      {},
      Object.fromEntries(reaches.map((reach) => [reach, members({ days, reason }, {}, 'days and reason')])),
      'how long data stays in backups, walArchives, replicas, diskSnapshots, files and topics',
    ),
    tokens: record(tokenDomain, 'domains of tokens by name'),
    file,
    keys,
    kafka,
  },
} satisfies Readonly<Record<string, Readonly<Record<string, Schema>>>>;

export const environment = members(
  {
    ...head('Environment'),
    owner: text('who answers for the environment'),
    purpose: text('what the environment is for'),
    ...place.required,
  },
  { ...imports, ...place.optional, retentionDays },
  'an Environment',
);

/** With `first` none of the others may be there; without it all of `needed`. The description of a member that is missing stands in the message. */
function unless(first: string, needed: Readonly<Record<string, Schema>>, refused: readonly string[]): Schema {
  return {
    if: { required: [first] },
    then: { properties: Object.fromEntries(refused.map((name) => [name, false])) },
    else: { required: Object.keys(needed), properties: needed },
  };
}

const pem = text('certificates as PEM', {
  maxLength: 65_536,
  pattern: '^\\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE-----\\s*)+$',
});
const server: Readonly<Record<string, Schema>> = {
  host: text('the name or address of a server, unless url is given', {
    maxLength: 253,
    pattern: '^([A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)$',
  }),
  database: text('the name of a database', { maxLength: 63 }),
};
const credentials = text(
  'env:NAME, file:PATH, vault:PATH or aws:NAME of JSON with username and password, granted for this host, port and database',
  {
    pattern: reference['pattern'] ?? '',
  },
);
const login: Readonly<Record<string, Schema>> = {
  user: text('the role to log in as, unless credentials is given', { maxLength: 63 }),
  password: text('env:NAME, file:PATH, vault:PATH#FIELD or aws:NAME#FIELD of a secret that was granted for this host, port and database', {
    pattern: reference['pattern'] ?? '',
  }),
};

/** What a broker has in place of host, port and database: its secrets are granted for each of the hosts. */
const hosts: Readonly<Record<string, Schema>> = {
  hosts: {
    ...list(
      text('HOST:PORT', { maxLength: 260, pattern: '^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$' }),
      'a list of HOST:PORT, unless url is given',
    ),
    ...{ minItems: 1, maxItems: 20 },
  },
};
const granted = (what: string): Schema =>
  text(`${what}: env:NAME, file:PATH, vault:PATH#FIELD or aws:NAME#FIELD, granted for each of the hosts`, {
    pattern: reference['pattern'] ?? '',
  });
const brokerLogin: Readonly<Record<string, Schema>> = {
  mechanism: oneOf('plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'),
  token: granted('a token'),
  certificate: members({ cert: pem, key: granted('the key of the certificate') }, {}, 'cert and key'),
};

const refuse = (...names: readonly string[]): Schema => ({ properties: Object.fromEntries(names.map((name) => [name, false])) });
const isBroker = { properties: { system: { const: 'kafka' } }, required: ['system'] };

const ofServer: Schema = {
  ...unless('url', server, [...Object.keys(server), ...Object.keys(login), 'port', 'credentials']),
  allOf: [{ if: { not: { required: ['url'] } }, then: unless('credentials', login, Object.keys(login)) }],
  ...refuse(...Object.keys(hosts), ...Object.keys(brokerLogin)),
};

/** A login by password has a mechanism, and one by token no password. */
const ofBroker: Schema = {
  ...unless('url', hosts, [...Object.keys(hosts), ...Object.keys(brokerLogin), ...Object.keys(login), 'credentials']),
  properties: { host: false, port: false, database: false, tls: { properties: { mode: oneOf('disable') } } },
  allOf: [
    {
      if: { properties: { mechanism: { const: 'oauthbearer' } }, required: ['mechanism'] },
      then: { required: ['token'], ...refuse('user', 'password', 'credentials') },
    },
    {
      if: { properties: { mechanism: oneOf('plain', 'scram-sha-256', 'scram-sha-512') }, required: ['mechanism'] },
      then: { ...refuse('token'), allOf: [unless('credentials', login, Object.keys(login))] },
    },
    { if: { not: { required: ['mechanism'] } }, then: refuse('user', 'password', 'credentials', 'token') },
  ],
};

export const connectionForm: Schema = {
  ...members(
    head('Connection'),
    {
      ...imports,
      system: oneOf('postgres', 'kafka'),
      url: text('env:NAME, file:PATH, vault:PATH#FIELD or aws:NAME#FIELD of a connection string', { pattern: reference['pattern'] ?? '' }),
      ...server,
      ...login,
      credentials,
      port: { type: 'integer', minimum: 1, maximum: 65_535, description: 'a port; 5432 when left out' },
      ...hosts,
      ...brokerLogin,
      region,
      tls: {
        ...members({}, { mode: oneOf('verify-ca', 'require', 'disable'), reason, ca: pem }, 'ca, or mode and reason'),
        dependentRequired: { mode: ['reason'], reason: ['mode'] },
      },
    },
    'a Connection',
  ),
  ...{ if: isBroker, then: ofBroker, else: ofServer },
};

const customer = members({ name: text('the name of a customer'), contact: text('how the customer is reached') }, {}, 'name and contact');

export const organisation: Schema = {
  ...members(
    {
      ...head('Organisation'),
      legalName: text('the name as it is registered'),
      acts: oneOf('controller', 'processor'),
      contact: text('how it is reached'),
    },
    {
      ...imports,
      representative: text('the representative in the Union, Art. 27 GDPR'),
      dataProtectionOfficer: text('how the data protection officer is reached'),
      jointControllers: list(
        members({ name: text('the name of a joint controller'), contact: text('how it is reached') }, {}, 'name and contact'),
        'with whom it decides on purposes and means, Art. 26 GDPR',
      ),
      customers: list(customer, 'the customers for whom a processor works'),
    },
    'an Organisation',
  ),
  if: { properties: { acts: { const: 'processor' } } },
  then: {
    required: ['customers'],
    properties: { customers: { type: 'array', minItems: 1, description: 'the customers for whom it works' } },
  },
  else: { properties: { customers: false } },
};

const prefix = text('env:NAME, file:PATH, vault:PATH#FIELD or aws:NAME#FIELD, or the beginning of one with * at its end', {
  pattern:
    '^(env:[A-Za-z_][A-Za-z0-9_]*\\*?|file:([A-Za-z0-9_-][A-Za-z0-9._-]*/)*([A-Za-z0-9_-][A-Za-z0-9._-]*\\*?|\\*)|vault:([A-Za-z0-9_][A-Za-z0-9_.-]*/)+([A-Za-z0-9_][A-Za-z0-9_.-]*(#[A-Za-z0-9_.-]+)?\\*?|\\*)|aws:(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@!-]+(#[A-Za-z0-9_.-]+)?\\*?)$',
});

/** BAUTA_GRANTS: which secrets documents of a workspace may name, and to whom a password or key may be shown. */
export const grantsSchema = members(
  {
    workspaces: record(
      members(
        {},
        {
          references: list(prefix, 'references, or their beginnings'),
          secrets: list(
            members(
              {
                reference,
                for: text('HOST:PORT, or HOST:PORT/DATABASE', {
                  pattern: '^([A-Za-z0-9_.-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}(/[^\\s]{1,63})?$',
                }),
              },
              {},
              'reference and for',
            ),
            'secrets, each with the server that may see it',
          ),
        },
        'references and secrets',
      ),
      'workspaces by name',
    ),
  },
  {},
  'workspaces',
);
