// Whom a token stands for, by what it says: numbers and not names, exactly what is trusted, and nothing that a fork may have begun.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { trustRoles } from '../../documents/documents.js';
import type { IssuerDefinition } from '../../pipeline/definition.js';
import { grantPattern } from '../access/grants.js';
import { findTrust, toRoles } from './find-trust.js';

const issuer = (form: IssuerDefinition['form'], claims: Record<string, string | number | boolean>): IssuerDefinition => ({
  ...{ kind: 'Issuer', name: 'ci', form, issuer: 'https://issuer.test', audience: 'bauta' },
  trusts: [{ claims, person: 'ci-shop', roles: ['requester@dev'] }],
});
const said = (of: IssuerDefinition, claims: Record<string, unknown>): string => {
  const found = findTrust(of, claims);
  if (!found) return 'nobody';
  return 'trust' in found ? found.trust.person : found.refused;
};

describe('GitHub', () => {
  const trusted = issuer('github', { repository_id: 74, ref: 'refs/heads/main' });
  const push = { repository_id: '74', repository: 'acme/shop', ref: 'refs/heads/main', event_name: 'push', base_ref: '', head_ref: '' };

  it.each<[string, Record<string, unknown>, string]>([
    ['a push to the branch', {}, 'ci-shop'],
    ['a schedule', { event_name: 'schedule' }, 'ci-shop'],
    ['a push to another branch', { ref: 'refs/heads/other' }, 'IDENTITY_NOT_TRUSTED'],
    ['a tag of that name', { ref: 'refs/tags/main' }, 'IDENTITY_NOT_TRUSTED'],
    ['another repository of the same name', { repository_id: '75' }, 'nobody'],
    ['a repository without a number', { repository_id: undefined }, 'nobody'],
    ['a number that only looks like it', { repository_id: ['74'] }, 'nobody'],
    ['a pull request', { event_name: 'pull_request', ref: 'refs/pull/3/merge', head_ref: 'x', base_ref: 'main' }, 'IDENTITY_OF_FORK'],
    ['a pull request that runs on the target’s branch', { event_name: 'pull_request_target' }, 'IDENTITY_OF_FORK'],
    ['a pull request that calls itself a push', { head_ref: 'stranger:main' }, 'IDENTITY_OF_FORK'],
    ['a workflow after one', { event_name: 'workflow_run' }, 'IDENTITY_OF_FORK'],
    ['a comment', { event_name: 'issue_comment' }, 'IDENTITY_OF_FORK'],
    ['a queue of merges', { event_name: 'merge_group', ref: 'refs/heads/gh-readonly-queue/main/pr-3' }, 'IDENTITY_OF_FORK'],
    ['an event of a later year', { event_name: 'something_new' }, 'IDENTITY_OF_FORK'],
    ['no event', { event_name: undefined }, 'IDENTITY_OF_FORK'],
  ])('%s', (_, more, expected) => expect(said(trusted, { ...push, ...more })).toBe(expected));

  it('an environment is no leave for a pull request', () => {
    const deploys = issuer('github', { repository_id: '74', environment: 'test' });
    expect(said(deploys, { ...push, environment: 'test' })).toBe('ci-shop');
    expect(said(deploys, push)).toBe('IDENTITY_NOT_TRUSTED');
    expect(said(deploys, { ...push, environment: 'test', event_name: 'pull_request', ref: 'refs/pull/3/merge' })).toBe('IDENTITY_OF_FORK');
  });
});

describe('GitLab', () => {
  const trusted = issuer('gitlab', { project_id: 22, ref: 'main', ref_type: 'branch', ref_protected: true });
  const push = {
    project_id: '22',
    ref: 'main',
    ref_type: 'branch',
    ref_path: 'refs/heads/main',
    ref_protected: 'true',
    pipeline_source: 'push',
  };

  it.each<[string, Record<string, unknown>, string]>([
    ['a push to the branch', {}, 'ci-shop'],
    ['a tag of that name', { ref_type: 'tag', ref_path: 'refs/tags/main' }, 'IDENTITY_NOT_TRUSTED'],
    ['a branch that is not protected', { ref_protected: 'false' }, 'IDENTITY_NOT_TRUSTED'],
    ['another project', { project_id: '23' }, 'nobody'],
    // In the project that it is for, a fork's branch of the same name is called the same.
    ['a merge request of a fork', { pipeline_source: 'merge_request_event' }, 'IDENTITY_OF_FORK'],
    ['a child of its pipeline', { pipeline_source: 'parent_pipeline' }, 'IDENTITY_OF_FORK'],
    ['an external pull request', { pipeline_source: 'external_pull_request_event' }, 'IDENTITY_OF_FORK'],
    ['a merge request by its path', { ref_path: 'refs/merge-requests/3/head' }, 'IDENTITY_OF_FORK'],
    ['no source', { pipeline_source: undefined }, 'IDENTITY_OF_FORK'],
  ])('%s', (_, more, expected) => expect(said(trusted, { ...push, ...more })).toBe(expected));
});

it('takes no token of a job under the form of people, whose subjects are names', () => {
  const trusted = issuer('oidc', { sub: 'repo:acme/shop:ref:refs/heads/main' });
  const token = { sub: 'repo:acme/shop:ref:refs/heads/main' };
  expect(said(trusted, token)).toBe('ci-shop');
  expect(said(trusted, { ...token, repository_id: '74', event_name: 'push' })).toBe('nobody');
  expect(said(trusted, { ...token, project_id: '22', pipeline_source: 'push' })).toBe('nobody');
});

describe('roles', () => {
  it('are those of the trust and of the person, and in no environment of only one of them', () => {
    expect(toRoles(['requester', 'viewer'], ['requester@dev'])).toEqual(['requester@dev']);
    expect(toRoles(['requester@dev', 'requester@test'], ['requester'])).toEqual(['requester@dev', 'requester@test']);
    expect(toRoles(['requester@dev'], ['requester@test', 'viewer'])).toEqual([]);
    expect(toRoles(['administrator'], ['administrator', 'viewer'])).toEqual([]);
  });

  const grant = fc.tuple(fc.constantFrom(...trustRoles.person), fc.constantFrom('', '@dev', '@test')).map(([role, at]) => role + at);
  const covers = (grants: readonly string[], one: string): boolean => grants.some((has) => has === one || has === one.split('@')[0]);
  it('are never more than either has, and all that both have', () =>
    fc.assert(
      fc.property(fc.array(grant), fc.array(grant), (has, most) => {
        const through = toRoles(has, most);
        expect(through.every((one) => covers(has, one) && covers(most, one))).toBe(true);
        for (const one of [...has, ...most]) if (covers(has, one) && covers(most, one)) expect(covers(through, one)).toBe(true);
      }),
    ));

  it('of a trust are grants, administrator excepted', () => {
    for (const role of trustRoles.person) expect(role).toMatch(new RegExp(grantPattern));
    expect(
      new RegExp(grantPattern).source
        .match(/[a-z]+(-[a-z]+)*(?=[|)])/g)
        ?.filter((one) => one !== 'administrator')
        .sort(),
    ).toEqual([...trustRoles.person].sort());
    expect(trustRoles.job.every((role) => trustRoles.person.includes(role))).toBe(true);
  });
});
