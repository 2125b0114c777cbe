// The states of a run and the ways between them: the table. The one setter is RunStore.transition.
export const transitions = {
  queued: ['planning', 'cancelled', 'paused'],
  paused: ['queued', 'cancelled'],
  planning: [
    ...['awaiting-approval', 'extracting', 'published', 'reused', 'denied', 'failed', 'cancelled', 'queued', 'paused'],
    // Cancelled, and what an earlier attempt left could not be taken away.
    'compensation-failed',
  ],
  // Planned again when it was approved: an approval is for a digest, and what is there then may have another one.
  'awaiting-approval': ['queued', 'denied', 'cancelled'],
  extracting: ['building', 'failed', 'cancelled', 'queued', 'paused', 'compensation-failed'],
  building: ['verifying', 'failed', 'cancelled', 'queued', 'paused', 'compensation-failed'],
  verifying: ['publishing', 'withheld', 'failed', 'cancelled', 'queued', 'paused', 'compensation-failed'],
  publishing: ['published', 'failed', 'cancelled', 'queued', 'paused', 'compensation-failed'],
  published: [],
  // A version that was there is what it would have made.
  reused: [],
  withheld: [],
  denied: [],
  failed: [],
  cancelled: [],
  // Ended, and what it made on the target could not be taken away: the next run on that target does it.
  'compensation-failed': [],
} as const satisfies Record<string, readonly string[]>;

export type RunState = keyof typeof transitions;

export const runStates = Object.keys(transitions) as readonly RunState[];

/** Nobody works on it: no worker has it. */
export const isResting = (state: RunState): boolean => isEnded(state) || ['queued', 'paused', 'awaiting-approval'].includes(state);

export const isEnded = (state: RunState): boolean => transitions[state].length === 0;

export function isAllowed(from: RunState, to: RunState): boolean {
  return (transitions[from] as readonly RunState[]).includes(to);
}
