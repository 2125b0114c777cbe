// A notice becomes a message: what happened to which run, or what is to be approved. Undefined: nobody has to be told.
import type { Json } from '../../kernel/canonical-json.js';
import type { Notice, RunRow, Transaction } from '../../systems/metadata/metadata.js';
import type { Message, NoticeEvent } from '../../systems/notify/notify.js';

const QUIET_MS = 3_600_000;
const NAMES = 20;

const events: Readonly<Record<string, NoticeEvent>> = {
  'run.failed': 'run-failed',
  'run.compensation-failed': 'run-failed',
  'run.withheld': 'run-withheld',
  'run.denied': 'run-denied',
  'run.late': 'run-late',
  'run.published': 'run-recovered',
  'approval.wanted': 'approval-wanted',
  'dataset.drifted': 'dataset-drifted',
  'dataset.expiring': 'dataset-expiring',
  'dataset.expired': 'dataset-expired',
  'dataset.ended': 'dataset-dropped',
  'dataset.not-dropped': 'dataset-not-dropped',
  'dataset.recovered': 'run-recovered',
  'deployment.flipped': 'deployment-flipped',
  'breakglass.issued': 'breakglass-issued',
  'breakglass.used': 'breakglass-used',
  'breakglass.used-again': 'breakglass-used',
  'breakglass.unreviewed': 'breakglass-unreviewed',
  'policy.bundle-refused': 'policy-refused',
  'agent.refused': 'agent-refused',
  'anchor.refused': 'anchor-refused',
  'anomaly.found': 'anomaly-found',
  'access-review.overdue': 'access-review-overdue',
  'daily-report.failed': 'report-failed',
  'incident.opened': 'incident-opened',
  'incident.step-failed': 'incident-step-failed',
  'incident.carried-out': 'incident-carried-out',
  'incident.closed': 'incident-closed',
  'incident.lifted': 'incident-lifted',
};

/** Of a deployment: told as they are, each of them a name or an id. */
const deploymentMembers = ['environment', 'gate', 'service', 'decision', 'breakglass'] as const;

/** Of what was found odd: who it was about is for those to see who may ask for it. */
const watchMembers = ['environment', 'pipeline', 'rule', 'anomaly', 'incident', 'step'] as const;

/** Those that are said. */
const toNamed = (data: Notice['data'], names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const said = data[name];
      return typeof said === 'string' && said !== '' ? [[name, said]] : [];
    }),
  );

export async function toMessage(transaction: Transaction, notice: Notice, workspace: string): Promise<Message | undefined> {
  const event = events[notice.type];
  const { run: runId, approval, expiresAt, changed, question, digest, environment, place } = notice.data;
  const run = typeof runId === 'string' ? await transaction.runs.find(runId) : undefined;
  if (event === undefined) return undefined;
  // That a run was published is no news unless something was not well before it.
  if (notice.type === 'run.published' && !(run && (await heals(transaction, run)))) return undefined;
  const { code: said } = notice.data;
  const code = event === 'run-recovered' || event === 'dataset-dropped' ? undefined : typeof said === 'string' ? said : codeOf(run);
  return {
    ...{ event, at: notice.at, workspace },
    ...(run ? { pipeline: run.pipeline, environment: run.environment, run: run.id } : {}),
    ...(event === 'agent-refused' && typeof environment === 'string' ? { environment } : {}),
    ...(event === 'anchor-refused' && typeof place === 'string' ? { place } : {}),
    ...(event === 'access-review-overdue' ? toNamed(notice.data, ['review']) : {}),
    ...(event === 'report-failed' && typeof notice.data['day'] === 'string' ? { day: notice.data['day'] } : {}),
    ...(typeof approval === 'string' ? { approval } : {}),
    ...(typeof expiresAt === 'string' ? { expiresAt } : {}),
    ...(Array.isArray(changed) ? { changed: toNames(changed) } : {}),
    ...(isOfDeployment(event) ? toNamed(notice.data, deploymentMembers) : {}),
    ...(isOfWatch(event) ? toNamed(notice.data, watchMembers) : {}),
    ...(event === 'policy-refused'
      ? { bundle: `about ${question === 'deploy' ? 'deployments' : 'plans'}, ${typeof digest === 'string' ? digest : 'not fetched'}` }
      : {}),
    ...(code === undefined ? {} : { code }),
  };
}

/** A pipeline that names many documents is told by some of them. */
function toNames(changed: readonly Json[]): readonly string[] {
  const names = changed.map(String);
  return names.length <= NAMES ? names : [...names.slice(0, NAMES), `${names.length - NAMES} more`];
}

/** How long a channel does not hear the same again; what the service itself tells once is told each time. */
export const toQuietMs = ({ event }: Message): number => {
  if (event === 'policy-refused' || event === 'anchor-refused') return 24 * QUIET_MS;
  return event.startsWith('dataset-') || isOfDeployment(event) || isOfWatch(event) ? 0 : QUIET_MS;
};

const isOfWatch = (event: NoticeEvent): boolean => event.startsWith('anomaly-') || event.startsWith('incident-');

const isOfDeployment = (event: NoticeEvent): boolean => event.startsWith('breakglass-') || event === 'deployment-flipped';

/** What a channel hears once: the same of the same pipeline, of the same approval, or of the same bundle. */
export const toSubject = (message: Message): string => {
  const { event, pipeline, approval, decision, breakglass, bundle, code, environment, place, anomaly, day, review, incident, step } =
    message;
  if (event === 'agent-refused') return `environment ${environment ?? ''}`;
  if (event === 'access-review-overdue') return `review ${review ?? ''}`;
  if (event === 'report-failed') return `report ${day ?? ''}`;
  if (event === 'anchor-refused') return `place ${place ?? ''} ${code ?? ''}`;
  if (event === 'policy-refused') return `bundle ${bundle ?? ''} ${code ?? ''}`;
  if (isOfWatch(event)) return incident === undefined ? `anomaly ${anomaly ?? ''}` : `incident ${incident} ${step ?? ''}`;
  if (isOfDeployment(event)) return breakglass === undefined ? `decision ${decision ?? ''}` : `breakglass ${breakglass}`;
  return event === 'approval-wanted' ? `approval ${approval ?? ''}` : `pipeline ${pipeline ?? ''}`;
};

async function heals({ runs, datasets }: Transaction, run: RunRow): Promise<boolean> {
  if (await datasets.heals(run.id)) return true;
  const before = await runs.list(20, { pipeline: run.pipeline }, run.id);
  const last = before.find(({ state }) => ['published', 'failed', 'compensation-failed', 'withheld', 'denied'].includes(state));
  return last !== undefined && last.state !== 'published';
}

/** Of the summary nothing but the code: what else is in it names tables and columns. */
function codeOf(run: RunRow | undefined): string | undefined {
  const { error } = (run?.summary ?? {}) as { readonly error?: { readonly code?: unknown } };
  return typeof error?.code === 'string' && /^[A-Z_]{3,60}$/.test(error.code) ? error.code : undefined;
}
