// The form of a Gate: which deployments it decides about, what it asks for, and how much of that is enough.
import { evidenceSubjects } from '../pipeline/definition.js';
import { callers } from './gate-callers-schema.js';
import { privacyLimits } from './place-schemas.js';
import { type Schema, date, documentName, head, imports, list, members, oneOf, reason, text } from './schema-words.js';

const pattern = text('a name, or the beginning of names and a star', {
  maxLength: 101,
  pattern: '^(\\*|[A-Za-z0-9][A-Za-z0-9._-]{0,99}\\*?)$',
});
const age = text('an age such as 90m, 24h or 7d', { pattern: '^[1-9][0-9]{0,5}[smhd]$' });
const points = (least: number): Schema => ({
  type: 'integer',
  minimum: least,
  maximum: 1000,
  description: `a whole number from ${least} to 1000`,
});
const percent: Schema = { type: 'integer', minimum: 0, maximum: 100, description: 'a whole number of percent from 0 to 100' };
const count: Schema = { type: 'integer', minimum: 0, maximum: 1_000_000, description: 'a count' };
const publicKey = text('a public key in PEM: -----BEGIN PUBLIC KEY-----', {
  maxLength: 4000,
  pattern: '^\\s*-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\\s]+-----END PUBLIC KEY-----\\s*$',
});
const producerWord = text('a text, or the beginning of texts and a star', { maxLength: 300 });

/** The types of evidence that there are, as /v1/evidence calls them. */
const type = text('a type of evidence such as trivy or junit', { pattern: '^[a-z][a-z0-9-]{0,39}$' });

const requirement = members(
  { name: documentName, type, subject: oneOf(...evidenceSubjects), maxAge: age },
  {
    tool: text('the name of a tool, or its beginning and a star', { maxLength: 100 }),
    points: points(1),
    producers: {
      ...list(
        {
          ...members(
            {},
            {
              issuer: producerWord,
              repository: producerWord,
              repositoryName: producerWord,
              ref: producerWord,
              workflow: producerWord,
              person: producerWord,
            },
            'issuer, repository, repositoryName, ref, workflow and person',
          ),
          minProperties: 1,
        },
        'a list of producers',
      ),
      minItems: 1,
      maxItems: 50,
    },
  },
  'name, type, tool, subject, maxAge, points and producers',
);

const privacy: Schema = { ...members({}, privacyLimits, Object.keys(privacyLimits).join(', ')), minProperties: 1 };

/** Two decimals at most: the threshold is compared as a whole number of hundredths. */
const threshold: Schema = {
  type: 'number',
  minimum: 0,
  maximum: 100,
  description: 'a number from 0 to 100 with two decimals at most',
};

export const gate: Schema = members(
  {
    ...head('Gate'),
    environments: { ...list(pattern, 'a list of environments'), minItems: 1, maxItems: 100, uniqueItems: true },
    services: { ...list(pattern, 'a list of services'), minItems: 1, maxItems: 100, uniqueItems: true },
    threshold,
  },
  {
    ...imports,
    advise: members({ until: date, reason, owner: text('who answers for it', { maxLength: 200 }) }, {}, 'until, reason and owner'),
    dataset: members(
      {},
      {
        required: { type: 'boolean', description: 'true or false' },
        reason,
        points: points(1),
        checkPoints: points(0),
        maxAge: age,
        privacy,
      },
      'required, reason, points, checkPoints, maxAge and privacy',
    ),
    evidence: { ...list(requirement, 'a list of what is asked for'), maxItems: 50 },
    validFor: age,
    callers,
    attestors: {
      ...list(members({ name: documentName, key: publicKey }, {}, 'name and key'), 'a list of attestors'),
      ...{ minItems: 1, maxItems: 50 },
    },
    parameters: members(
      {},
      {
        penalties: members(
          {},
          { critical: percent, high: percent, medium: percent, low: percent, unknown: percent, failed: percent },
          'critical, high, medium, low, unknown and failed',
        ),
        fixableCriticals: count,
        driftMaxAge: age,
        databaseMaxAge: age,
        revokeOn: {
          ...list(text('a code such as LIVE_VALUES', { pattern: '^[A-Z][A-Z_]{2,59}$' }), 'a list of codes'),
          maxItems: 50,
          uniqueItems: true,
        },
        logLagSeconds: { type: 'integer', minimum: 1, maximum: 86_400, description: 'seconds from 1 to 86400' },
      },
      'penalties, fixableCriticals, driftMaxAge, databaseMaxAge, revokeOn and logLagSeconds',
    ),
  },
  'a Gate',
);
