// Who gets what in the copy, as people read it: by role and privileges, with what they are on.
import { findLeftOut } from './bind-roles.js';
import { type Catalogue, type Entry, type GrantPlace, toLabel } from './catalogue.js';
import type { Plan } from './plan.js';

export interface RolesView {
  /** Beside those of the owner, who has everything. Sorted by role, PUBLIC first; without privileges: what PUBLIC has of itself is taken from it. */
  readonly rights: readonly { readonly role: string; readonly privileges: readonly string[]; readonly on: readonly string[] }[];
  /** Roles of the source that were granted something and are not mapped. They stand in no finding, because findings stand in the log. */
  readonly leftOut: readonly string[];
}

export function toRolesView({ roles, facts }: Pick<Plan, 'roles' | 'facts'>, catalogue: Catalogue): RolesView | null {
  if (!roles) return null;
  const groups = new Map<string, { role: string; privileges: readonly string[]; on: string[] }>();
  const add = ({ role, privileges }: Entry, on: string): void => {
    const key = JSON.stringify([role, privileges]);
    const group = groups.get(key) ?? { role: role ?? 'PUBLIC', privileges, on: [] };
    groups.set(key, group);
    group.on.push(on);
  };
  const places = [
    ...roles.grants.map((grant) => ({ ...grant, on: toPlaceLabel(grant) })),
    ...roles.defaults.map(({ on, schema, ...rest }) => ({
      ...rest,
      on: `${on.toLowerCase()} made later${schema === null ? '' : ` in schema ${toLabel(schema)}`}`,
    })),
  ];
  for (const { closed, entries, on } of places) {
    if (closed) add({ role: null, privileges: [] }, on);
    for (const entry of entries) add(entry, on);
  }
  const order = ({ role }: { readonly role: string }): string => (role === 'PUBLIC' ? '' : role);
  const rights = [...groups.values()].sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0));
  return { rights, leftOut: findLeftOut(catalogue, facts.target.roles ?? {}) };
}

function toPlaceLabel({ label, schema, name, column }: GrantPlace): string {
  return column === undefined ? label : `column ${toLabel(schema ?? '', name, column)}`;
}
