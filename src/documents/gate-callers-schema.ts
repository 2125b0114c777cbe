// The form of the `callers` of a Gate: which systems may ask it in a language of their own, and where they are answered.
import { type Schema, documentName, list, members, record, reference, text } from './schema-words.js';

const secret = text('env:NAME, file:PATH, vault:PATH#FIELD or aws:NAME#FIELD of a secret of 16 characters or more', {
  pattern: reference['pattern'] ?? '',
});
const shown = text(
  'env:NAME, file:PATH, vault:PATH#FIELD or aws:NAME#FIELD of a secret that was granted for the host and port of the API',
  {
    pattern: reference['pattern'] ?? '',
  },
);
const address = (description: string): Schema =>
  text(description, { maxLength: 300, pattern: '^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*$' });
const id: Schema = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'a number that the system gave' };
const some = (items: Schema, description: string): Schema => ({ ...list(items, description), minItems: 1, maxItems: 500 });

export const callers: Schema = members(
  {},
  {
    github: members(
      {
        ...{ secret, app: id, key: shown },
        repositories: some(
          members(
            {
              id,
              name: text('OWNER/NAME', { maxLength: 140, pattern: '^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$' }),
              service: documentName,
            },
            {},
            'id, name and service',
          ),
          'a list of repositories',
        ),
      },
      {
        api: address('https://HOST[:PORT][/PATH] of the REST API'),
        environments: record(documentName, 'environments of the gate by the names that GitHub has for them'),
      },
      'secret, app, key, api, repositories and environments',
    ),
    gitlab: members(
      {
        ...{ secret, token: shown },
        projects: some(
          members({ id, check: id, service: documentName, environment: documentName }, {}, 'id, check, service and environment'),
          'a list of projects',
        ),
      },
      { api: address('https://HOST[:PORT][/PATH] of the REST API') },
      'secret, token, api and projects',
    ),
    kubernetes: members(
      {
        secret,
        namespaces: some(
          members(
            { name: text('the name of a namespace', { pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' }), environment: documentName },
            { service: documentName },
            'name, environment and service',
          ),
          'a list of namespaces',
        ),
      },
      {},
      'secret and namespaces',
    ),
    azure: members(
      {
        organisation: address('https://dev.azure.com/ORGANISATION, or the address of a collection'),
        projects: some(text('the id of a project', { pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' }), 'a list of projects'),
      },
      {},
      'organisation and projects',
    ),
  },
  'github, gitlab, kubernetes and azure',
);
