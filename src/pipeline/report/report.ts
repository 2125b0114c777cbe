// report turns events into what people ask for, and can say no more than what happened: the summary of one run, and documents about a period.
import type { Json } from '../../kernel/canonical-json.js';
import type { ErrorView, Finding } from '../../kernel/errors.js';
import type { Attestation } from '../attestation.js';
import { fromLogged } from '../erasable.js';
import { type CheckResult, toCheckResults } from '../check.js';
import type { Decision } from '../decision.js';
import type { Checkpoint, Event } from '../event.js';
import { type PrivacyMeasures, toPrivacyMeasures } from '../privacy.js';
import type { Reused } from '../reuse.js';

export type { AssessedCheck, AssessedControl, AssessedException, Assessment, Population } from './assessment.js';
export type {
  Block,
  Chart,
  Column,
  Conclusion,
  Field,
  Fields,
  Notice,
  ReportDocument,
  Section,
  Series,
  Standing,
  Table,
  Text,
} from './document.js';
export { type Collected, type Deviation, type PopulationCount, collect, readLater } from './collect.js';
export type { CheckedLog, Declared, InForce, LogState, ReportContext } from './context.js';
export { type CounterpartName, Counterparts, counterpartNames, counterparts } from './counterparts.js';
export { type NotHeld, notHeld } from './not-held.js';
export { type Reconciled, type StoredRow, reconcile } from './reconcile.js';
export { toCsvLine, toHeadLine, toItemLine } from './csv.js';
export { type ControlResult, toControlResults } from './blocks.js';
export { type ReportName, frameworkOf, reportNames } from './frameworks/frameworks.js';
export { type Period, toDay } from './period.js';
export { populations } from './populations/populations.js';
export { toAssessment } from './to-assessment.js';
export { type ReleaseCommit, ReleaseReader, findCommits } from './release/release.js';
export { toReleaseReport } from './release/release-report.js';
export { toReport } from './to-report.js';
export { type PersonLooked, isReached, toReachReport } from './reach/reach-report.js';
export { type ReachPlace, readReach } from './reach/read-reach.js';
export { toBreachReport } from './breach/breach-report.js';
export { type BreachAsked, type BreachFacts, readBreach } from './breach/read-breach.js';
export { type LineageContext, lineageTriggers, lineageTypes, toLineage } from './lineage.js';
export type { RunEvent } from './open-lineage.js';
export { type Usage, toUsage, usageActions, usageRunTypes, usageTypes } from './usage.js';

export type RunState = 'published' | 'reused' | 'withheld' | 'denied' | 'failed' | 'cancelled';

export interface RunSummary {
  readonly runId: string;
  readonly state: RunState;
  readonly dataset: { readonly target: string; readonly version: number; readonly planDigest: string } | null;
  /** That version was there already, and the source has not changed since its rows were read. */
  readonly reused?: Reused;
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly bytes: number; readonly seconds: number }[];
  readonly findings: readonly Finding[];
  /** What verification decided for each personal column and path, and saw; empty where it did not come to that. */
  readonly verdicts: readonly Json[];
  /** What each check of the pipeline counted; empty where it did not come to that. */
  readonly checks: readonly CheckResult[];
  /** What was measured of the copy's privacy; null: it did not come to that, and nothing is known. */
  readonly privacy: PrivacyMeasures | null;
  readonly decision: Decision | null;
  /** Versions that ended because this one was published, each with its attestation. */
  readonly pruned: readonly Pruned[];
  readonly seconds: number;
  readonly rowsPerSecond: number;
  readonly peakRssBytes: number;
  /** The signed state of the log that covers everything above: whoever keeps it can tell whether a later log still begins with it. */
  readonly checkpoint: Checkpoint | null;
  /** Why it did not come to a publication, where neither decision nor findings of the verifier say so; or what failed after it. */
  readonly error?: ErrorView;
}

export interface Pruned {
  readonly target: string;
  readonly version: number;
  /** That made it. */
  readonly run: string;
  readonly attestation: Attestation;
}

/** A pure function of the run's events: the same log gives the same summary, whoever asks. */
export function toSummary(
  runId: string,
  events: readonly Event[],
  checkpoint: Checkpoint | null = null,
  textOf: (commitment: string) => string | undefined = () => undefined,
): RunSummary {
  const mine = events
    .filter((event) => event.runId === runId)
    .map((event) => ({ ...event, data: fromLogged(event.data, textOf) as Event['data'] }));
  const last = (type: string): Event['data'] | undefined => mine.findLast((event) => event.type === type)?.data;
  const ended = last('run.ended');
  const error = ended?.['error'] as unknown as ErrorView | undefined;
  const published = last('dataset.published.done') ?? last('dataset.published.completed');
  const reused = last('dataset.reused');
  const found = mine.filter(({ type }) => type === 'findings.made').flatMap(({ data }) => data['findings'] as unknown as Finding[]);
  const tables = mine
    .filter(({ type }) => type === 'table.loaded')
    .map(({ data }) => ({
      name: `${data['schema'] as string}.${data['table'] as string}`,
      rows: Number(data['rows']),
      bytes: Number(data['bytes']),
      seconds: Math.max(0, Number(data['seconds'])),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  // A clock that was set back meanwhile makes no time negative.
  const seconds = Math.max(0, (Date.parse(mine.at(-1)?.at ?? '') - Date.parse(mine[0]?.at ?? '')) / 1000 || 0);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const moving = mine
    .filter(({ type }) => type === 'snapshot.opened' || type === 'snapshot.joined' || type === 'table.loaded')
    .map(({ at }) => Date.parse(at));
  const movingSeconds = moving.length > 1 ? (Math.max(...moving) - Math.min(...moving)) / 1000 : 0;
  return {
    runId,
    // A run that was killed after its publication never said how it ended: the next start found that.
    state: (ended?.['state'] as RunState | undefined) ?? (published ? 'published' : 'failed'),
    dataset: toDataset(published ?? reused),
    ...(reused ? { reused: reused as unknown as Reused } : {}),
    tables,
    findings: [...new Map([...found, ...toFindingOf(error)].map((finding) => [JSON.stringify(finding), finding])).values()],
    verdicts: (last('dataset.verified')?.['verdicts'] as readonly Json[] | undefined) ?? [],
    checks: toCheckResults(mine),
    privacy: toPrivacyMeasures(mine),
    decision: (last('plan.decided')?.['decision'] as unknown as Decision | undefined) ?? null,
    pruned: mine.filter(({ type }) => type === 'dataset.dropped.done').map(({ data }) => toPruned(data)),
    seconds,
    rowsPerSecond: movingSeconds > 0 ? Math.round(rows / movingSeconds) : 0,
    peakRssBytes: Number(ended?.['peakRssBytes'] ?? 0),
    checkpoint,
    ...(error ? { error } : {}),
  };
}

function toDataset(published: Event['data'] | undefined): RunSummary['dataset'] {
  if (!published) return null;
  const { target, version, planDigest } = published as unknown as NonNullable<RunSummary['dataset']>;
  return { target, version, planDigest };
}

function toPruned(data: Event['data']): Pruned {
  const { target, version, run, lookedAt, address, dropped, kept, beyond, server } = data as unknown as Pruned & Attestation;
  return { target, version, run, attestation: { lookedAt, address, dropped, kept, beyond, server } };
}

/** Findings alone tell everything: an error that is more than the sum of findings is one of them. */
function toFindingOf(error: ErrorView | undefined): readonly Finding[] {
  return error === undefined || sums.has(error.code) ? [] : [{ ...error, severity: 'error' }];
}

const sums: ReadonlySet<string> = new Set(['PLAN_REFUSED', 'DELIVER_SCHEMA_FAILED']);
