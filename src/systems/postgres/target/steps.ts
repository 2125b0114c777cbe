// The steps that change the target server, told before each is done: for the log's intents, and for tests that stop between two.

export const targetSteps = [
  'role.create',
  'database.create',
  'database.mark',
  'database.open',
  'schema.create',
  'data.load',
  'schema.finish',
  'owner.change',
  'marker.write',
  'database.switch',
  'target.release',
] as const;

/** Between marker and switch, where clones are wanted. */
export const templateSteps = ['template.freeze', 'template.copy', 'template.mark'] as const;

export const cloneSteps = ['clone.role', 'clone.copy', 'clone.open', 'clone.close', 'clone.drop', 'clone.forget'] as const;

/** Those of a target whose versions are schemas. */
export const swapSteps = [
  'schemas.create',
  'schema.create',
  'data.load',
  'schema.finish',
  'owner.change',
  'marker.write',
  'schemas.switch',
  'target.release',
] as const;

/** Those that take a version away, of either kind. */
export const dropSteps = ['version.close', 'version.drop', 'roles.drop'] as const;

/** Back to the version before: ahead of the switch, and in the middle of its one transaction. */
export const rollbackSteps = ['rollback.switch', 'rollback.rename'] as const;

export type TargetStep =
  | (typeof targetSteps)[number]
  | (typeof swapSteps)[number]
  | (typeof templateSteps)[number]
  | (typeof cloneSteps)[number]
  | (typeof dropSteps)[number]
  | (typeof rollbackSteps)[number];

export type OnStep = (step: TargetStep) => void | Promise<void>;
