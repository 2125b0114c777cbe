// The states of an approval and the ways between them: the table. The one setter is ApprovalStore.transition.
const transitions = {
  waiting: ['approved', 'used', 'refused', 'expired', 'void'],
  approved: ['used', 'expired', 'void'],
  used: [],
  refused: [],
  expired: [],
  void: [],
} as const satisfies Record<string, readonly string[]>;

export type ApprovalState = keyof typeof transitions;

export const approvalStates = Object.keys(transitions) as readonly ApprovalState[];

export function mayBecome(from: ApprovalState, to: ApprovalState): boolean {
  return (transitions[from] as readonly ApprovalState[]).includes(to);
}
