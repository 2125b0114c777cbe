// What a playbook may do about an incident, in words: the steps, and the one that comes with the release.

export const playbookSteps = [
  ...(['freeze', 'flip-gates', 'revoke-credentials', 'stop-agents', 'quarantine'] as const),
  ...(['collect-evidence', 'breach-worksheet', 'open-approval', 'notify'] as const),
] as const;

export type PlaybookStep = (typeof playbookSteps)[number];

/** They keep people from the copy: none of them waits for another one, and what fails before them stops none. */
export const isolating: ReadonlySet<PlaybookStep> = new Set(['freeze', 'flip-gates', 'revoke-credentials', 'stop-agents', 'quarantine']);

export interface Playbook {
  readonly name: string;
  readonly steps: readonly PlaybookStep[];
  /** How far back from its opening the evidence goes. */
  readonly evidenceHours: number;
}

/** A week. */
export const EVIDENCE_HOURS = 168;

/** A document of the same name takes its place. */
export const shippedPlaybooks: Readonly<Record<string, Playbook>> = {
  'pii-leak': { name: 'pii-leak', steps: playbookSteps, evidenceHours: EVIDENCE_HOURS },
};
