// Which role may do what, as one table. A route names the right that it needs; a role without it is refused, and the refusal is audited.
export const roles = ['viewer', 'requester', 'approver', 'operator', 'policy-admin', 'auditor', 'detokeniser', 'administrator'] as const;

export type Role = (typeof roles)[number];

const readers: readonly Role[] = ['viewer', 'requester', 'approver', 'operator', 'policy-admin', 'auditor'];

const table = {
  'documents:read': readers,
  'documents:apply': ['policy-admin'],
  'runs:read': readers,
  'runs:create': ['requester', 'operator'],
  'runs:cancel': ['requester', 'operator'],
  'schedules:pause': ['operator'],
  'people:read': ['administrator', 'auditor'],
  'people:write': ['administrator'],
  'tokens:read': ['administrator', 'auditor'],
  'tokens:write': ['administrator'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof table;

/** The roles that have a right. */
export function rightsOf(permission: Permission): readonly Role[] {
  return table[permission];
}
