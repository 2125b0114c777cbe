// The form of an Issuer: whose identity tokens are believed, and whom each of them stands for.
import { type Schema, head, imports, list, members, oneOf, text } from './schema-words.js';

/** Of the service's grants, without administrator: that one is made by hand. A test holds the two together. */
export const trustRoles = {
  person: ['viewer', 'requester', 'approver', 'operator', 'policy-admin', 'auditor', 'detokeniser'],
  /** A job decides nothing that takes a person, and sees nothing that is for one. */
  job: ['viewer', 'requester', 'operator', 'policy-admin', 'auditor'],
} as const;

const scoped = ['viewer', 'requester', 'approver', 'operator', 'detokeniser'];

const rolesOf = (names: readonly string[]): Schema => ({
  ...list(
    text(`one of ${names.join(', ')}; ${names.filter((one) => scoped.includes(one)).join(', ')} also as ROLE@ENVIRONMENT`, {
      pattern: `^((${names.filter((one) => scoped.includes(one)).join('|')})(@[A-Za-z0-9][A-Za-z0-9._-]{0,62})?|${names.filter((one) => !scoped.includes(one)).join('|')})$`,
    }),
    'a list of roles, at least one',
  ),
  minItems: 1,
  uniqueItems: true,
});

const person = text('the name of one of the people of the workspace', { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' });
const number = (description: string): Schema => ({
  type: ['string', 'integer'],
  pattern: '^[1-9][0-9]{0,18}$',
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description,
});
const yes: Schema = { const: true, description: 'true' };
const words = (description: string): Schema => text(description, { maxLength: 500, pattern: '^[^\\s*]+$' });

/** `ref` unless `environment` is there. */
const refOrEnvironment = (ref: Schema, needed: readonly string[] = []): Schema => ({
  if: { required: ['environment'] },
  then: {},
  else: { required: ['ref', ...needed], properties: { ref } },
});

const githubRef = text('refs/heads/NAME or refs/tags/NAME, unless environment is given', {
  maxLength: 300,
  pattern: '^refs/(heads|tags)/[^\\s*]+$',
});
const gitlabRef = words('the name of a branch or tag, unless environment is given');

const claims: Readonly<Record<string, Schema>> = {
  github: {
    ...members(
      { repository_id: number('the number of the repository, which stays when its name goes to somebody else') },
      {
        ref: githubRef,
        environment: text('the name of an environment of the repository', { maxLength: 255 }),
        repository_owner_id: number('the number of the owner of the repository'),
        ref_protected: yes,
        workflow_ref: words('OWNER/REPOSITORY/.github/workflows/FILE@REF'),
        job_workflow_ref: words('OWNER/REPOSITORY/.github/workflows/FILE@REF'),
      },
      'repository_id, and ref or environment',
    ),
    ...refOrEnvironment(githubRef),
  },
  gitlab: {
    ...members(
      { project_id: number('the number of the project, which stays when its path goes to somebody else') },
      {
        ref: gitlabRef,
        ref_type: oneOf('branch', 'tag'),
        environment: text('the name of an environment of the project', { maxLength: 255 }),
        namespace_id: number('the number of the group'),
        ref_protected: yes,
        environment_protected: yes,
        ci_config_ref_uri: words('HOST/GROUP/PROJECT//.gitlab-ci.yml@REF'),
      },
      'project_id, and ref with ref_type or environment',
    ),
    ...refOrEnvironment(gitlabRef),
    // A tag may have the name of a protected branch.
    dependentRequired: { ref: ['ref_type'] },
  },
  oidc: members({ sub: text('the subject, as the issuer has it', { maxLength: 255 }) }, {}, 'sub'),
};

const trustOf = (form: string): Schema =>
  members(
    { claims: claims[form] ?? {}, person, roles: rolesOf(form === 'oidc' ? trustRoles.person : trustRoles.job) },
    {},
    'claims, person and roles',
  );

const address = {
  maxLength: 500,
  pattern: '^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$',
};
/** Both sign tokens for whoever has a repository there: their subjects are names that change hands. */
const forges = { pattern: '^https://(token\\.actions\\.githubusercontent\\.com|gitlab\\.com)([:/]|$)' };

const trusts: Schema = { type: 'array', maxItems: 500, description: 'a list of trusts, which may be empty' };

export const issuer: Schema = {
  ...members(
    {
      ...head('Issuer'),
      form: oneOf(...Object.keys(claims)),
      issuer: text('https://HOST[:PORT][/PATH], as tokens have it in iss', address),
      audience: text('what tokens for this service have in aud', { maxLength: 200 }),
      trusts,
    },
    imports,
    'an Issuer',
  ),
  allOf: Object.keys(claims).map((form) => ({
    if: { properties: { form: { const: form } } },
    then: {
      properties: {
        trusts: { type: 'array', items: trustOf(form) },
        ...(form === 'oidc'
          ? { issuer: { not: forges, description: 'the address of an issuer of people; this one takes form github or gitlab' } }
          : {}),
      },
    },
  })),
};
