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
  'database.prune',
] as const;

/** Those of a target whose versions are schemas. */
export const swapSteps = [
  'schemas.create',
  'schema.create',
  'data.load',
  'schema.finish',
  'owner.change',
  'marker.write',
  'schemas.switch',
  'schemas.prune',
] as const;

export type TargetStep = (typeof targetSteps)[number] | (typeof swapSteps)[number];

export type OnStep = (step: TargetStep) => void | Promise<void>;
