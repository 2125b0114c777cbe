// Which role may do what, as one table. A route names the right that it needs; a role without it is refused, and the refusal is audited.
export const roles = ['viewer', 'requester', 'approver', 'operator', 'policy-admin', 'auditor', 'detokeniser', 'administrator'] as const;

export type Role = (typeof roles)[number];

const readers: readonly Role[] = ['viewer', 'requester', 'approver', 'operator', 'policy-admin', 'auditor'];

const table = {
  'documents:read': readers,
  'documents:apply': ['policy-admin'],
  'events:read': readers,
  'health:read': readers,
  'metrics:read': readers,
  'notifications:read': readers,
  'notifications:retry': ['operator'],
  'plans:read': readers,
  'plans:create': ['requester', 'approver', 'operator', 'policy-admin'],
  'anomalies:read': readers,
  'incidents:read': readers,
  // It shuts everybody out of a copy; a false alarm costs an afternoon.
  'incidents:open': ['operator'],
  'incidents:close': ['operator'],
  // What was collected is about people's work.
  'incidents:evidence': ['operator', 'auditor'],
  'incidents:approve': ['approver'],
  'datasets:read': readers,
  'datasets:roll-back': ['operator'],
  'datasets:expire': ['operator'],
  // Lifting a hold is asked for; it takes somebody else's yes.
  'datasets:hold': ['operator'],
  'datasets:revoke': ['operator'],
  'holds:approve': ['approver'],
  'clones:read': readers,
  'clones:create': ['requester', 'operator'],
  'clones:drop': ['requester', 'operator'],
  'archives:pull': ['requester', 'operator'],
  'agents:read': readers,
  // Who is let in gets masked rows, and who is let go gets none.
  'agents:invite': ['operator'],
  'agents:revoke': ['operator'],
  'keys:read': readers,
  'keys:rotate': ['operator'],
  // Asked for; it takes somebody else's yes.
  'keys:destroy': ['operator'],
  'keys:approve': ['approver'],
  // Asked by whoever deploys: a yes of a gate moves nothing by itself.
  'gates:decide': ['requester', 'operator'],
  'decisions:read': readers,
  'breakglasses:read': readers,
  // Asked for; it takes two others' yes. It is used by whoever may ask the gate.
  'breakglasses:ask': ['requester', 'operator'],
  'breakglasses:approve': ['approver'],
  'breakglasses:review': ['approver', 'auditor'],
  'secrets:read': readers,
  // Everywhere: a login is everybody's who depends on it.
  'secrets:rotate': ['operator'],
  'runs:read': readers,
  'runs:create': ['requester', 'operator'],
  'runs:cancel': ['requester', 'operator'],
  'evidence:read': readers,
  // Whoever may send it can say that all is well: a rule of a gate may demand who sent it.
  'evidence:send': ['requester', 'operator'],
  'evidence:withdraw': ['operator', 'policy-admin'],
  'waivers:read': readers,
  // Asked for; it takes somebody else's yes.
  'waivers:create': ['requester', 'operator', 'policy-admin'],
  'waivers:end': ['operator', 'approver', 'policy-admin'],
  'waivers:approve': ['approver'],
  'schedules:pause': ['operator'],
  'runs:approve': ['approver'],
  'documents:approve': ['approver'],
  'grants:approve': ['administrator'],
  // Of whichever kind; which kinds it is for whom is looked at for each.
  'approvals:read': [...readers, 'administrator'],
  'approvals:decide': ['approver', 'administrator'],
  'workspaces:read': ['administrator', 'auditor'],
  'workspaces:write': ['administrator'],
  'audit:read': ['auditor'],
  // It adds one entry to the log, which holds a digest.
  'reports:make': ['auditor'],
  // What retention and erasure ask for; each is an entry itself.
  'audit:erase': ['operator'],
  'people:read': ['administrator', 'auditor'],
  'people:write': ['administrator'],
  'people:erase': ['administrator'],
  // Who may make tokens of guesses reverses a copy by them: both are one right.
  'tokens:exchange': ['detokeniser'],
  'tokens:shred': ['operator'],
  // Whoever becomes aware says so, and nobody in his place.
  'breaches:tell': ['operator', 'auditor'],
  // Of the copies of production: it drops versions.
  'subjects:erase': ['operator'],
  // Who looks at what others hold may take it from them.
  'access-reviews:read': ['administrator', 'auditor'],
  'access-reviews:decide': ['administrator'],
  // Where somebody is: for whoever answers a person, and never kept.
  'subjects:reach': ['operator', 'auditor'],
  'apikeys:read': ['administrator', 'auditor'],
  'apikeys:write': ['administrator'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof table;

/** The roles that have a right. */
export function rightsOf(permission: Permission): readonly Role[] {
  return table[permission];
}

/** Where somebody with these grants (`requester`, `requester@dev`) has a right: everywhere, or in these environments, which may be none. */
export function environmentsOf(grants: readonly string[], permission: Permission): 'all' | readonly string[] {
  const having = grants.filter((grant) => rightsOf(permission).some((role) => role === grant.split('@')[0]));
  return having.some((grant) => !grant.includes('@')) ? 'all' : having.flatMap((grant) => grant.split('@')[1] ?? []);
}

/** In each of the environments; what has effect in none is for those who have the right everywhere. */
export function hasRight(grants: readonly string[], permission: Permission, environments: readonly string[]): boolean {
  const where = environmentsOf(grants, permission);
  return where === 'all' || (environments.length > 0 && environments.every((environment) => where.includes(environment)));
}
