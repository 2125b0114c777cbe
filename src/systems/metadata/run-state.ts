// The states of a run and the ways between them: the table. The one setter is RunStore.transition.
export const transitions = {
  queued: ['planning', 'cancelled'],
  planning: ['extracting', 'published', 'denied', 'failed', 'cancelled', 'queued'],
  extracting: ['building', 'failed', 'cancelled', 'queued'],
  building: ['verifying', 'failed', 'cancelled', 'queued'],
  verifying: ['publishing', 'withheld', 'failed', 'cancelled', 'queued'],
  publishing: ['published', 'failed', 'cancelled', 'queued'],
  published: [],
  withheld: [],
  denied: [],
  failed: [],
  cancelled: [],
} as const satisfies Record<string, readonly string[]>;

export type RunState = keyof typeof transitions;

export const runStates = Object.keys(transitions) as readonly RunState[];

export const isEnded = (state: RunState): boolean => transitions[state].length === 0;

export function isAllowed(from: RunState, to: RunState): boolean {
  return (transitions[from] as readonly RunState[]).includes(to);
}
