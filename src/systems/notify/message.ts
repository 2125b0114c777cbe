// What is told, in words of ours and names of documents: no value of a row, no person, no other program's text.

export const noticeEvents = [
  ...(['run-failed', 'run-withheld', 'run-denied', 'run-late', 'run-recovered', 'approval-wanted'] as const),
  ...(['dataset-drifted', 'dataset-expiring', 'dataset-expired', 'dataset-dropped', 'dataset-not-dropped'] as const),
  ...(['deployment-flipped', 'breakglass-issued', 'breakglass-used', 'breakglass-unreviewed'] as const),
  'policy-refused',
  'agent-refused',
  'anchor-refused',
  'anomaly-found',
  'access-review-overdue',
  'report-failed',
  ...(['incident-opened', 'incident-step-failed', 'incident-carried-out', 'incident-closed', 'incident-lifted'] as const),
] as const;

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
  /** RFC 3339. */
  readonly expiresAt?: string;
  /** What is not as it was when the dataset was made: names of documents, `policy`, `source schema`. */
  readonly changed?: readonly string[];
  /** Which of one's own bundles: about plans, or about deployments; and of which digest. */
  readonly bundle?: string;
  /** Where a checkpoint was to be put, as the settings name it. */
  readonly place?: string;
  /** Of access: its id. */
  readonly review?: string;
  /** Of a daily report. */
  readonly day?: string;
  /** Why: one of our codes. */
  readonly code?: string;
  /** Of a deployment, and by what it was let through. */
  readonly gate?: string;
  readonly service?: string;
  readonly decision?: string;
  readonly breakglass?: string;
  /** What was found odd, by its rule and id: `GET /v1/anomalies` says more. */
  readonly rule?: string;
  readonly anomaly?: string;
  readonly incident?: string;
  /** Of its playbook; of several that failed all. */
  readonly step?: string;
};

const titles: Readonly<Record<NoticeEvent, string>> = {
  'run-failed': 'A run failed',
  'run-withheld': 'A run was withheld: nothing was published',
  'run-denied': 'A run was denied',
  'run-late': 'A run is late: its deadline has passed',
  'run-recovered': 'A pipeline is well again',
  'approval-wanted': 'An approval is wanted',
  'dataset-drifted': 'A dataset is not what a run would make today',
  'dataset-expiring': 'A dataset expires soon',
  'dataset-expired': 'A dataset has expired',
  'dataset-dropped': 'A dataset was dropped, and it is attested',
  'dataset-not-dropped': 'An expired dataset could not be dropped',
  'deployment-flipped': 'A deployment that was let through would not be any more',
  'breakglass-issued': 'A break-glass was issued: one deployment may go past its gate',
  'breakglass-used': 'A break-glass was used: a deployment went past its gate',
  'breakglass-unreviewed': 'Nobody reviewed the use of a break-glass in time',
  'policy-refused': 'A policy bundle was refused; the one before stays in force',
  'agent-refused': 'An agent or the service refused what nobody signed: somebody else writes to the topics',
  'report-failed': 'A daily report could not be made; it is tried again',
  'anchor-refused': 'No checkpoint of the log could be put at a place of BAUTA_LOG_ANCHORS',
  'anomaly-found': 'Something is odd in the log',
  'access-review-overdue': 'A review of access was not decided in time',
  'incident-opened': 'An incident was opened: its playbook is being carried out',
  'incident-step-failed': 'A step of an incident failed',
  'incident-carried-out': 'The playbook of an incident was carried out',
  'incident-closed': 'An incident was closed',
  'incident-lifted': 'The freeze of an incident was lifted',
};

export const toTitle = ({ event }: Message): string => titles[event];

/** Names and what they are, in the order in which they are read. */
export function toFacts({
  pipeline,
  environment,
  run,
  approval,
  changed,
  expiresAt,
  bundle,
  place,
  day,
  review,
  code,
  gate,
  service,
  decision,
  breakglass,
  rule,
  anomaly,
  incident,
  step,
  workspace,
  at,
}: Message): readonly (readonly [string, string])[] {
  const all = {
    ...{ Pipeline: pipeline, Environment: environment, Run: run, Approval: approval },
    ...{ Gate: gate, Service: service, Decision: decision, 'Break-glass': breakglass },
    ...{ Rule: rule, Anomaly: anomaly, Incident: incident, Step: step },
    ...{
      Changed: changed?.join(', '),
      Expires: expiresAt,
      Bundle: bundle,
      Place: place,
      Day: day,
      Review: review,
      Reason: code,
      Workspace: workspace,
      Time: at,
    },
  };
  return Object.entries(all).filter((fact): fact is [string, string] => fact[1] !== undefined);
}
