import { describe, expect, it } from '@jest/globals';

import { smallCatalogue } from '../../test/support/target-world.js';
import { described } from '../../test/support/binding.js';
import { bindRoles, findLeftOut } from './bind-roles.js';
import type { Catalogue, DefaultGrant, Entry, Grant } from './catalogue.js';
import type { PipelineDefinition, RolesDefinition } from './definition.js';

const table = (entries: readonly Entry[], more: Partial<Grant> = {}): Grant => ({
  ...{ label: 'table public.person', on: 'TABLE', schema: 'public', name: 'person', owner: 'app', entries, ...more },
});
const routine = (entries: readonly Entry[]): Grant => ({
  ...table(entries),
  label: 'function public.f()',
  on: 'ROUTINE',
  name: 'f',
  signature: '',
});

function bind(
  roles: RolesDefinition | undefined,
  grants: readonly Grant[],
  defaultGrants: readonly DefaultGrant[] = [],
  drop: readonly string[] = [],
) {
  const catalogue: Catalogue = { ...smallCatalogue, schemas: [{ name: 'public', comment: null }], grants, defaultGrants };
  const schemaTexts = drop.map((object) => ({ object, action: 'drop', reason: 'not wanted' }));
  const body = { target: { ...(roles && { roles }) }, schemaTexts } as unknown as PipelineDefinition;
  return { ...bindRoles({ pipeline: described(body), catalogue }), catalogue };
}
const refused = (roles: RolesDefinition): unknown[] => bind(roles, []).findings.map(({ code, where }) => [code, where.name]);

describe('the roles of a target', () => {
  it('without a map are no part of the plan', () => {
    const grants = [table([{ role: 'reader', privileges: ['SELECT'] }])];
    expect(bind(undefined, grants)).toMatchObject({ findings: [] });
    expect(bind(undefined, grants).roles).toBeUndefined();
    expect(bind({ owner: 'team' }, grants).roles).toBeUndefined();
  });

  it('get the union of what the roles that became one have, an owner included, and nothing of what is not mapped', () => {
    const grants = [
      table([
        { role: 'app', privileges: ['INSERT', 'DELETE'] },
        { role: 'reader', privileges: ['SELECT', 'INSERT'] },
        { role: 'somebody', privileges: ['TRUNCATE'] },
      ]),
    ];
    const { roles, findings, catalogue } = bind({ map: { app: 'dev', reader: 'dev' } }, grants);
    expect(roles?.grants).toMatchObject([{ closed: false, entries: [{ role: 'dev', privileges: ['SELECT', 'INSERT', 'DELETE'] }] }]);
    expect(findings).toMatchObject([{ code: 'PLAN_ROLES_LEFT_OUT', severity: 'warning', where: { amount: '1' } }]);
    expect(findLeftOut(catalogue, { map: { app: 'dev', reader: 'dev' } })).toEqual(['somebody']);
  });

  it('leave PUBLIC what it has, give it what it was given beyond that, and take what was taken from it', () => {
    const [open, closed, given] = [
      bind({ map: {} }, [routine([{ role: null, privileges: ['EXECUTE'] }])]),
      bind({ map: {} }, [routine([{ role: 'app', privileges: ['EXECUTE'] }])]),
      bind({ map: {} }, [table([{ role: null, privileges: ['SELECT'] }])]),
    ];
    expect(open.roles?.grants).toEqual([]);
    expect(closed.roles?.grants).toMatchObject([{ closed: true, entries: [] }]);
    expect(given.roles?.grants).toMatchObject([{ closed: false, entries: [{ role: null, privileges: ['SELECT'] }] }]);
  });

  it('have default privileges of the roles that own something here, the strictest of them for PUBLIC', () => {
    const later = (owner: string, entries: readonly Entry[]): DefaultGrant => ({ owner, schema: null, on: 'ROUTINES', entries });
    const all: Entry = { role: null, privileges: ['EXECUTE'] };
    const { roles } = bind(
      { map: { reader: 'dev' } },
      [table([]), table([], { owner: 'other' })],
      [
        later('app', [
          { role: 'app', privileges: ['EXECUTE'] },
          { role: 'reader', privileges: ['EXECUTE'] },
        ]),
        later('other', [all]),
        later('nobody', [all, { role: 'somebody', privileges: ['EXECUTE'] }]),
      ],
    );
    expect(roles?.defaults).toEqual([{ schema: null, on: 'ROUTINES', closed: true, entries: [{ role: 'dev', privileges: ['EXECUTE'] }] }]);
  });

  it('get nothing on what the pipeline drops', () => {
    const grants = [routine([{ role: 'reader', privileges: ['EXECUTE'] }])];
    expect(bind({ map: { reader: 'dev' } }, grants, [], ['function public.f()']).roles?.grants).toEqual([]);
  });

  it('are refused where the server would not take the name, or keeps it for itself, or two of the three are one', () => {
    expect(refused({ owner: 'a', readWrite: 'b', readOnly: 'c' })).toEqual([]);
    expect(refused({ owner: 'a', readWrite: 'a' })).toEqual([['PLAN_ROLE_REFUSED', 'a']]);
    for (const name of ['pg_monitor', 'public', 'none', 'ü'.repeat(32), 'a\nb'])
      expect(refused({ owner: name })).toEqual([['PLAN_ROLE_REFUSED', name]]);
    expect(refused({ map: { pg_monitor: 'dev' } })).toEqual([['PLAN_ROLE_UNUSED', 'pg_monitor']]);
  });
});
