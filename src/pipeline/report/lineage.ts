// Runs as OpenLineage run events: a pure function of the log, so that whoever has the log can say what was sent. Of a run there are two jobs: the
// pipeline, from its start to its end, and its verification, a child of it, whose input is what was made and whose assertions are what was found.
import type { Json } from '../../kernel/canonical-json.js';
import { toTableLabel } from '../catalogue.js';
import type { CheckResult } from '../check.js';
import type { Event } from '../event.js';
import { LineageTables, toName, toPlace } from './lineage-datasets.js';
import { type LineageDataset, type RunEvent, runEventSchema, toFacets, toLineageRunId } from './open-lineage.js';

export interface LineageContext {
  /** Names the jobs: two workspaces may have a pipeline of one name. */
  readonly workspace: string;
  /** Of this release. */
  readonly version: string;
  /** What the pipeline document of the run states for Art. 30 GDPR. */
  readonly stated?: { readonly purpose: string; readonly legalBasis: string; readonly subjectCategories?: readonly string[] } | undefined;
}

/** At these there is something to be sent. */
export const lineageTriggers: readonly string[] = [
  ...['run.started', 'snapshot.opened', 'snapshot.joined', 'dataset.verified', 'findings.made', 'run.ended'],
  // Of the service: a run that nobody ended.
  ...['run.failed', 'run.cancelled', 'run.compensation-failed'],
];

/** What of a run an event is made from, beside what triggers it. */
export const lineageTypes: readonly string[] = [
  ...[...lineageTriggers, 'run.queued', 'source.seen', 'plan.decided', 'table.loaded', 'checks.made', 'gate.asked', 'dataset.reused'],
  ...['dataset.published.done', 'dataset.published.completed'],
];

/** An event that tells of so many columns is sent, and the next one tells of the others: brokers and servers take messages of limited size. */
const COLUMNS = 250;

/** `events`: those of one run and of `lineageTypes`, in the order of the log, up to the one that is told of now. */
export function toLineage(events: readonly Event[], context: LineageContext): readonly RunEvent[] {
  const trigger = events.at(-1);
  if (!trigger || !events.some(({ type }) => type === 'run.started')) return [];
  const run = new RunLineage(events, trigger, context);
  switch (trigger.type) {
    case 'run.started':
      return events.filter(({ type }) => type === 'run.started').length === 1 ? [run.tell('START')] : [run.tell('RUNNING')];
    case 'snapshot.opened':
    case 'snapshot.joined':
      return [run.tell('RUNNING')];
    case 'dataset.verified':
      return [run.tellVerification('START')];
    case 'findings.made':
      return trigger.stage === 'verify' && run.last('dataset.verified') ? [run.tellVerification(run.isWithheld ? 'FAIL' : 'COMPLETE')] : [];
    case 'run.ended':
      return run.end(run.last('run.ended')?.['state']);
    case 'run.failed':
    case 'run.cancelled':
    case 'run.compensation-failed':
      // What the run itself has told is not told again.
      return run.hasEnded ? [] : run.end(trigger.type.slice('run.'.length));
    default:
      return [];
  }
}

class RunLineage {
  private readonly producer: string;

  constructor(
    private readonly events: readonly Event[],
    private readonly trigger: Event,
    private readonly context: LineageContext,
  ) {
    this.producer = `https://bauta.invalid/releases/${context.version}`;
  }

  last(type: string): Event['data'] | undefined {
    return this.events.findLast((event) => event.type === type)?.data;
  }

  /** Of several attempts the last. */
  get hasEnded(): boolean {
    const at = (type: string): number => this.events.findLastIndex((event) => event.type === type);
    return at('run.ended') > at('run.started');
  }

  get isWithheld(): boolean {
    const findings = (this.trigger.data['findings'] ?? []) as unknown as readonly { readonly severity?: string }[];
    return findings.some(({ severity }) => severity === 'error');
  }

  tell(eventType: RunEvent['eventType'], inputs: readonly LineageDataset[] = [], outputs: readonly LineageDataset[] = []): RunEvent {
    const { producer, pipeline, context, trigger } = this;
    const due = this.events.find(({ type }) => type === 'run.queued')?.data['due'];
    return {
      ...{ eventType, eventTime: trigger.at, producer, schemaURL: runEventSchema },
      run: {
        runId: toLineageRunId(trigger.runId),
        facets: toFacets(producer, {
          processing_engine: { name: 'Bauta', version: context.version },
          nominalTime: typeof due === 'string' ? { nominalStartTime: due } : undefined,
          errorMessage: eventType === 'FAIL' || eventType === 'ABORT' ? this.toError() : undefined,
          bauta_evidence: this.toEvidence(),
        }),
      },
      job: {
        ...this.toJob(pipeline),
        facets: toFacets(producer, {
          jobType: { processingType: 'BATCH', integration: 'BAUTA', jobType: 'JOB' },
          processing: this.toProcessing(),
        }),
      },
      ...{ inputs, outputs },
    };
  }

  tellVerification(eventType: RunEvent['eventType']): RunEvent {
    const { producer, pipeline, context, trigger } = this;
    const checks = eventType === 'START' ? [] : this.checks;
    return {
      ...{ eventType, eventTime: trigger.at, producer, schemaURL: runEventSchema },
      run: {
        runId: toLineageRunId(`${trigger.runId} verify`),
        facets: toFacets(producer, {
          processing_engine: { name: 'Bauta', version: context.version },
          parent: { run: { runId: toLineageRunId(trigger.runId) }, job: this.toJob(pipeline) },
          test: eventType === 'START' ? undefined : { tests: checks.map(toTest) },
          errorMessage: eventType === 'FAIL' ? this.toError('withheld') : undefined,
        }),
      },
      job: {
        ...this.toJob(`${pipeline}.verify`),
        facets: toFacets(producer, {
          jobType: { processingType: 'BATCH', integration: 'BAUTA', jobType: 'TASK' },
          // It reads what was made, for the same purpose: without it a reader counts processing that nobody has stated.
          processing: this.toProcessing(),
        }),
      },
      inputs: eventType === 'START' ? [] : this.toVerified(checks),
      outputs: [],
    };
  }

  /** The end, and before it what does not fit into one event. */
  end(state: Json | undefined): readonly RunEvent[] {
    if (state === 'cancelled') return [this.tell('ABORT')];
    if (state !== 'published' && state !== 'reused') return [this.tell('FAIL')];
    const asked = this.last('gate.asked');
    if (!asked?.['input']) return [this.tell('COMPLETE')];
    const { target = {} } = asked['input'] as unknown as { readonly target?: Event['data'] };
    const tables = new LineageTables(
      this.producer,
      asked,
      toPlace(this.last('source.seen') ?? {}),
      toPlace(target),
      this.context.stated?.subjectCategories,
    );
    const version = (this.last('dataset.published.done') ?? this.last('dataset.published.completed'))?.['version'];
    const loaded = this.loaded;
    const told: RunEvent[] = [];
    const groups = tables.inGroups(COLUMNS);
    for (const [i, names] of groups.entries()) {
      const outputs = names.map((name) =>
        tables.toOutput(name, typeof version === 'number' ? String(version) : undefined, loaded.get(name)),
      );
      const inputs = names.map((name) => tables.toInput(name));
      told.push(this.tell(i < groups.length - 1 ? 'RUNNING' : 'COMPLETE', inputs, outputs));
    }
    return told;
  }

  private get pipeline(): string {
    const name = this.last('run.started')?.['pipeline'];
    return typeof name === 'string' ? name : 'unknown';
  }

  private get checks(): readonly CheckResult[] {
    return (this.last('checks.made')?.['checks'] ?? []) as unknown as readonly CheckResult[];
  }

  private get loaded(): ReadonlyMap<string, Event['data']> {
    const tables = this.events.filter(({ type }) => type === 'table.loaded');
    return new Map(tables.map(({ data }) => [toTableLabel({ schema: data['schema'] as string, name: data['table'] as string }), data]));
  }

  private toJob(name: string): { readonly namespace: string; readonly name: string } {
    return { namespace: `bauta.${this.context.workspace}`, name };
  }

  /** By which the event is found in the log, and the log in the copy. */
  private toEvidence() {
    const { planDigest, decision } = this.last('plan.decided') ?? {};
    const { policy } = (decision ?? {}) as unknown as { readonly policy?: Json };
    const { environment } = this.last('run.started') ?? {};
    return { run: this.trigger.runId, environment: environment ?? null, planDigest: planDigest ?? null, policy: policy ?? null };
  }

  /** A code and places: what a server or a parser said is in no event of the log. */
  private toError(state = this.trigger.type === 'run.ended' ? this.trigger.data['state'] : this.trigger.type.slice('run.'.length)) {
    const { code } = (this.trigger.data['error'] ?? {}) as { readonly code?: Json };
    const said = typeof state === 'string' ? state : 'failed';
    return { message: typeof code === 'string' ? `${said}: ${code}` : said, programmingLanguage: 'TypeScript' };
  }

  private toProcessing() {
    const { stated } = this.context;
    if (!stated) return undefined;
    const basis = toLegalBasis(stated.legalBasis);
    return { purpose: stated.purpose, ...(basis === undefined ? {} : { legal_basis: basis }) };
  }

  /** What was verified: tables of the target, with what was asserted of each. */
  private toVerified(checks: readonly CheckResult[]): readonly LineageDataset[] {
    const target = this.last('plan.decided')?.['target'];
    if (typeof target !== 'object' || target === null) return [];
    const place = toPlace(target as Event['data']);
    const byTable = new Map<string, Json[]>();
    for (const check of checks)
      if (check.table !== null) {
        const label = toTableLabel({ schema: check.schema ?? '', name: check.table });
        byTable.set(label, [...(byTable.get(label) ?? []), ...toAssertions(check)]);
      }
    return [...byTable].map(([label, assertions]) => ({
      ...toName(place, label),
      inputFacets: toFacets(this.producer, { dataQualityAssertions: { assertions } }),
    }));
  }
}

/** As others call them. */
const assertions: Readonly<Record<CheckResult['kind'], string>> = {
  ...{ notNull: 'not_null', unique: 'unique', acceptedValues: 'accepted_values', range: 'range', relation: 'relationships' },
  ...{ freshness: 'freshness', rowCount: 'row_count', nullRate: 'null_rate', sql: 'custom_sql' },
  ...{ kAnonymity: 'k_anonymity', lDiversity: 'l_diversity', tCloseness: 't_closeness' },
};
const severities = { warn: 'warn', withhold: 'error' } as const;

/** One for each column, or one for the whole table. A check that could not be made has not succeeded. */
function toAssertions(check: CheckResult): readonly Json[] {
  const { columns, kind, name, severity, outcome, expected, counted } = check;
  const one = {
    ...{ assertion: assertions[kind], success: outcome === 'pass', name, severity: severities[severity], expected },
    ...(counted === null ? {} : { actual: String(counted) }),
  };
  return columns.length === 0 ? [one] : columns.map((column) => ({ ...one, column }));
}

function toTest({ name, kind, severity, outcome, expected, counted }: CheckResult): Json {
  const status = outcome === 'pass' ? 'pass' : outcome === 'fail' ? 'fail' : 'skip';
  const actual = counted === null ? {} : { actual: String(counted) };
  return { name, type: assertions[kind], status, severity: severities[severity], expected, ...actual };
}

/** Art. 6(1) GDPR. Undefined: the document says it in another way, and nothing is guessed. */
function toLegalBasis(text: string): string | undefined {
  const [, letter = ''] = /\b6\s*\(1\)\s*\(?([a-f])\)?/i.exec(text) ?? [];
  const words: Readonly<Record<string, string>> = {
    ...{ a: 'consent', b: 'contract', c: 'legal-obligation', d: 'vital-interests', e: 'public-task', f: 'legitimate-interest' },
  };
  return words[letter.toLowerCase()];
}
