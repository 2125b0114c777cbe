// `target.roles` meets the ACLs of the source: who gets what in the copy. Without a map nothing here is asked.
import { type Finding, toFinding, type Where } from '../kernel/errors.js';
import { toPointer } from '../kernel/json-pointer.js';
import { findNearest } from '../kernel/nearest.js';
import type { BindInput } from './bind-input.js';
import { type Catalogue, toObjectLabel } from './catalogue.js';
import type { RolesDefinition } from './definition.js';
import {
  type DefaultGrantPlan,
  type Entry,
  type GrantPlan,
  type Privilege,
  type RolesPlan,
  sortPrivileges,
  toPublicDefault,
} from './grant.js';

export interface BoundRoles {
  /** Absent without a map. */
  readonly roles?: RolesPlan;
  readonly findings: readonly Finding[];
}

export function bindRoles({ pipeline, catalogue }: Pick<BindInput, 'pipeline' | 'catalogue'>): BoundRoles {
  const { roles } = pipeline.body.target;
  if (!roles) return { findings: [] };
  const at = (...path: readonly string[]): Where => ({
    file: pipeline.origin.file,
    line: pipeline.origin.line(toPointer('target', 'roles', ...path)),
  });
  const names = checkNames(roles, at);
  if (!roles.map) return { findings: names };
  const dropped = new Set(pipeline.body.schemaTexts?.filter(({ action }) => action === 'drop').map(({ object }) => object));
  const seen = toSeen(catalogue, dropped);
  const map = new Map(Object.entries(roles.map));
  const known = new Set([...seen.granted, ...seen.owners, ...seen.policies.keys()]);
  const unknown = [...map.keys()].filter((name) => !known.has(name));
  const left = findLeftOut(catalogue, roles);
  return {
    roles: { grants: toGrants(catalogue, map, dropped), defaults: toDefaults(catalogue, map, seen.owners) },
    findings: [
      ...names,
      ...unknown.map((name) =>
        toFinding('PLAN_ROLE_UNUSED', { ...at('map', name), name, expected: findNearest(name, known) ?? 'a role of the source' }),
      ),
      ...[...seen.policies].flatMap(([name, objects]) =>
        map.has(name) ? [] : objects.map((object) => toFinding('SCHEMA_ROLE_UNMAPPED', { ...at('map'), object, name })),
      ),
      ...(left.length === 0 ? [] : [toFinding('PLAN_ROLES_LEFT_OUT', { ...at('map'), amount: String(left.length) }, 'warning')]),
    ],
  };
}

/** Roles of the source that were granted something in scope and are not mapped, sorted. Owners keep nothing by that, and are not among them. */
export function findLeftOut(catalogue: Catalogue, { map = {} }: RolesDefinition): readonly string[] {
  const { granted } = toSeen(catalogue, new Set());
  return [...granted].filter((name) => !Object.hasOwn(map, name)).sort();
}

interface Seen {
  readonly granted: ReadonlySet<string>;
  readonly owners: ReadonlySet<string>;
  /** Labels of the policies that name a role. */
  readonly policies: ReadonlyMap<string, readonly string[]>;
}

function toSeen(catalogue: Catalogue, dropped: ReadonlySet<string>): Seen {
  const granted = new Set<string>();
  const owners = new Set<string>();
  for (const { owner, entries } of [...(catalogue.grants ?? []), ...(catalogue.defaultGrants ?? [])]) {
    for (const { role } of entries) if (role !== null && role !== owner && !isServers(role)) granted.add(role);
  }
  for (const { owner } of catalogue.grants ?? []) owners.add(owner);
  const policies = new Map<string, string[]>();
  for (const object of catalogue.objects) {
    const label = toObjectLabel(object);
    if (object.kind !== 'policy' || dropped.has(label)) continue;
    for (const role of object.roles) policies.set(role, [...(policies.get(role) ?? []), label]);
  }
  return { granted, owners, policies };
}

/** `pg_database_owner`, `pg_read_all_data` and their like: each server has its own. */
const isServers = (role: string): boolean => role.startsWith('pg_');

/** What no server would take, and what the server keeps for itself. Whether a role can be used is found on the target. */
function checkNames({ owner, readWrite, readOnly, map = {} }: RolesDefinition, at: (...path: string[]) => Where): readonly Finding[] {
  const three = Object.entries({ owner, readWrite, readOnly }).flatMap(([key, name]) =>
    name === undefined ? [] : [{ path: [key], name }],
  );
  const mapped = Object.entries(map).map(([from, name]) => ({ path: ['map', from], name }));
  const twice = three.filter(({ name }, i) => three.findIndex((other) => other.name === name) < i);
  return [
    ...[...three, ...mapped].flatMap(({ path, name }) => {
      const problem = findProblem(name);
      return problem === undefined ? [] : [toFinding('PLAN_ROLE_REFUSED', { ...at(...path), name, expected: problem })];
    }),
    ...twice.map(({ path, name }) =>
      toFinding('PLAN_ROLE_REFUSED', { ...at(...path), name, expected: 'owner, readWrite and readOnly are three roles' }),
    ),
  ];
}

function findProblem(name: string): string | undefined {
  if (isServers(name)) return "a role that begins with pg_ is the server's own";
  if (name === 'public' || name === 'none') return 'the server keeps the word for itself';
  if (Buffer.byteLength(name) > 63) return 'a name has 63 bytes at most';
  return /\p{Cc}/u.test(name) ? 'a name has no control characters' : undefined;
}

function toGrants(catalogue: Catalogue, map: ReadonlyMap<string, string>, dropped: ReadonlySet<string>): readonly GrantPlan[] {
  return (catalogue.grants ?? []).flatMap(({ owner: _owner, entries, ...place }): GrantPlan[] => {
    if (dropped.has(place.label)) return [];
    const made = toMapped(entries, map, place.column === undefined ? toPublicDefault(place.on, place.name) : []);
    return made.closed || made.entries.length > 0 ? [{ ...place, ...made }] : [];
  });
}

/** Those of roles that own something here, whose place the environment's owner takes. */
function toDefaults(catalogue: Catalogue, map: ReadonlyMap<string, string>, owners: ReadonlySet<string>): readonly DefaultGrantPlan[] {
  const schemas = new Set(catalogue.schemas.map(({ name }) => name));
  const joined = new Map<string, DefaultGrantPlan>();
  for (const { owner, schema, on, entries } of catalogue.defaultGrants ?? []) {
    if (!owners.has(owner) || (schema !== null && !schemas.has(schema))) continue;
    // What the maker himself keeps is his; the environment's owner has it without a word.
    const others = entries.filter(({ role }) => role !== owner);
    const made = toMapped(others, map, schema === null ? toPublicDefault(on) : []);
    const key = JSON.stringify([schema, on]);
    const before = joined.get(key);
    joined.set(key, {
      ...{ schema, on, closed: made.closed || before?.closed === true },
      entries: joinEntries([...(before?.entries ?? []), ...made.entries]),
    });
  }
  return [...joined.values()].filter(({ closed, entries }) => closed || entries.length > 0);
}

/** PUBLIC stays PUBLIC: whoever may connect. It is closed where it lacks what it has without anybody's doing. */
function toMapped(
  entries: readonly Entry[],
  map: ReadonlyMap<string, string>,
  usual: readonly Privilege[],
): Pick<GrantPlan, 'closed' | 'entries'> {
  const ofPublic = entries.find(({ role }) => role === null)?.privileges ?? [];
  const closed = usual.some((privilege) => !ofPublic.includes(privilege));
  const given = entries.flatMap(({ role, privileges }): Entry[] => {
    if (role === null) return [{ role, privileges: closed ? privileges : privileges.filter((one) => !usual.includes(one)) }];
    const to = map.get(role);
    return to === undefined ? [] : [{ role: to, privileges }];
  });
  return { closed, entries: joinEntries(given) };
}

/** One per role, sorted: two roles of the source may have become one. */
function joinEntries(entries: readonly Entry[]): readonly Entry[] {
  const byRole = new Map<string | null, Privilege[]>();
  for (const { role, privileges } of entries) if (privileges.length > 0) byRole.set(role, [...(byRole.get(role) ?? []), ...privileges]);
  return [...byRole]
    .map(([role, all]) => ({ role, privileges: sortPrivileges(all) }))
    .sort((a, b) => ((a.role ?? '') < (b.role ?? '') ? -1 : 1));
}
