// The form of an Issuer: a trust of jobs without numbers is refused where it stands, and administrators are made by hand.
import { expect, it } from '@jest/globals';

import { parseDocuments } from './documents.js';

const github = (claims: string, roles = '[requester@dev]'): string => `kind: Issuer
name: github
form: github
issuer: https://token.actions.githubusercontent.com
audience: bauta
trusts:
  - claims: { repository_id: 74, ref: refs/heads/main }
    person: ci-shop
    roles: [requester@dev]
  - claims: ${claims}
    person: ci-shop
    roles: ${roles}
`;
const gitlab = (claims: string): string =>
  github('{ repository_id: 74, ref: refs/heads/main }')
    .replace('form: github', 'form: gitlab')
    .replace(/claims: .*/g, `claims: ${claims}`);
const oidc = (issuer: string, roles: string): string =>
  github('{}', roles)
    .replace('form: github', 'form: oidc')
    .replace(/issuer: .*/, `issuer: ${issuer}`)
    .replace(/claims: .*/g, 'claims: { sub: 00u1 }');

const found = async (text: string): Promise<unknown[]> =>
  (await parseDocuments(text)).findings.map(({ code, where: { file, line, path, name } }) => [code, file, line, path, name]);

it('takes trusts of a repository by its number, and of its branch, tag or environment', async () => {
  for (const claims of [
    '{ repository_id: "74", ref: refs/tags/v1 }',
    '{ repository_id: 74, environment: test }',
    '{ repository_id: 74, environment: test, ref: refs/heads/main, ref_protected: true, repository_owner_id: 9 }',
  ])
    expect(await found(github(claims))).toEqual([]);
  expect(await found(gitlab('{ project_id: 22, ref: main, ref_type: branch }'))).toEqual([]);
  expect(await found(gitlab('{ project_id: 22, environment: test, environment_protected: true }'))).toEqual([]);
  expect(await found(oidc('https://login.acme.example/tenant/', '[approver@dev, viewer, auditor]'))).toEqual([]);
  const none = github('{}').replace(/trusts:[\s\S]*/, 'trusts: []\n');
  expect(await found(none)).toEqual([]);
});

it.each([
  ['{ ref: refs/heads/main }', 'DOCUMENT_MEMBER_MISSING', 'repository_id'],
  ['{ repository_id: 74 }', 'DOCUMENT_MEMBER_MISSING', 'ref'],
  ['{ repository: acme/shop, repository_id: 74, ref: refs/heads/main }', 'DOCUMENT_MEMBER_UNKNOWN', 'repository'],
  ['{ repository_id: acme/shop, ref: refs/heads/main }', 'DOCUMENT_VALUE_INVALID', undefined],
  ['{ repository_id: 0, ref: refs/heads/main }', 'DOCUMENT_VALUE_INVALID', undefined],
  ['{ repository_id: 7.5, ref: refs/heads/main }', 'DOCUMENT_VALUE_INVALID', undefined],
  ['{ repository_id: 74, ref: main }', 'DOCUMENT_VALUE_INVALID', undefined],
  ['{ repository_id: 74, ref: refs/heads/* }', 'DOCUMENT_VALUE_INVALID', undefined],
  ['{ repository_id: 74, ref: refs/pull/3/merge }', 'DOCUMENT_VALUE_INVALID', undefined],
  ['{ repository_id: 74, ref: refs/pull/3/merge, environment: test }', 'DOCUMENT_VALUE_INVALID', undefined],
])('refuses the trust %s with its file and line', async (claims, code, name) => {
  const findings = await found(github(claims));
  expect(findings).toContainEqual([code, 'request', 10, expect.stringMatching(/^trusts\/\[2\]\/claims/), name]);
});

it.each([
  ['{ ref: main, ref_type: branch }', 'DOCUMENT_MEMBER_MISSING', 'project_id'],
  ['{ project_id: 22 }', 'DOCUMENT_MEMBER_MISSING', 'ref'],
  // Which may be a tag that anybody made.
  ['{ project_id: 22, ref: main }', 'DOCUMENT_MEMBER_MISSING', 'ref_type'],
])('refuses the trust of GitLab %s', async (claims, code, name) =>
  expect(await found(gitlab(claims))).toContainEqual([code, 'request', 7, 'trusts/[1]/claims', name]),
);

it('gives a job no role that decides or sees what is for people, and nobody administrator', async () => {
  for (const role of ['approver', 'approver@dev', 'detokeniser', 'administrator', 'owner', 'auditor@dev'])
    expect((await found(github('{ repository_id: 74, environment: test }', `[${role}]`)))[0]).toEqual([
      ...['DOCUMENT_VALUE_INVALID', 'request', 12, 'trusts/[2]/roles/[1]', undefined],
    ]);
  expect((await found(oidc('https://login.acme.example', '[administrator]')))[0]).toEqual(
    expect.arrayContaining(['DOCUMENT_VALUE_INVALID']),
  );
});

it.each([
  'https://token.actions.githubusercontent.com',
  'https://token.actions.githubusercontent.com/acme',
  'https://gitlab.com',
  'https://gitlab.com/',
  'http://login.acme.example',
  'https://LOGIN.acme.example',
  'https://user@login.acme.example',
  'https://login.acme.example?x',
])('takes no %s for an issuer of people', async (issuer) =>
  expect(await found(oidc(issuer, '[viewer]'))).toContainEqual(['DOCUMENT_VALUE_INVALID', 'request', 4, 'issuer', undefined]),
);
