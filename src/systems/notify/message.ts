// What is told, in words of ours and names of documents: no value of a row, no person, no other program's text.

export const noticeEvents = ['run-failed', 'run-withheld', 'run-denied', 'run-late', 'run-recovered', 'approval-wanted'] as const;

export type NoticeEvent = (typeof noticeEvents)[number];

/** A type, not an interface, so that it is JSON. */
export type Message = {
  readonly event: NoticeEvent;
  /** RFC 3339. */
  readonly at: string;
  readonly workspace: string;
  readonly pipeline?: string;
  readonly environment?: string;
  readonly run?: string;
  readonly approval?: string;
  /** Why: one of our codes. */
  readonly code?: string;
};

const titles: Readonly<Record<NoticeEvent, string>> = {
  'run-failed': 'A run failed',
  'run-withheld': 'A run was withheld: nothing was published',
  'run-denied': 'A run was denied',
  'run-late': 'A run is late: its deadline has passed',
  'run-recovered': 'A pipeline runs again',
  'approval-wanted': 'An approval is wanted',
};

export const toTitle = ({ event }: Message): string => titles[event];

/** Names and what they are, in the order in which they are read. */
export function toFacts({ pipeline, environment, run, approval, code, workspace, at }: Message): readonly (readonly [string, string])[] {
  const all = { Pipeline: pipeline, Environment: environment, Run: run, Approval: approval, Reason: code, Workspace: workspace, Time: at };
  return Object.entries(all).filter((fact): fact is [string, string] => fact[1] !== undefined);
}
