// What is processed, by pipeline and environment: of each what the last plan that was published did to every column, and how much moved. For the
// record of processing, minimisation and the annex of an impact assessment.
import type { Event, LoggedEvent } from '../event.js';
import { tags } from '../tags.js';
import { type Period, isWithin } from './period.js';
import { textOf, toPlace } from './populations/population.js';

export interface PlannedColumn {
  readonly table: string;
  readonly column: string;
  readonly path: string | null;
  readonly tag: string;
  readonly transform: string;
  /** How far equality goes: value, subject or row. */
  readonly scope: string;
  /** Under whose name its key is derived. */
  readonly domain: string;
  readonly reveals: readonly string[];
  readonly reversible: boolean;
  readonly speaksOfPerson: boolean;
}

export interface PlanFacts {
  /** Where it stands: the entry of the question to the gate. */
  readonly entry: string;
  readonly columns: readonly PlannedColumn[];
  readonly sourceRegion: string | null;
  readonly targetRegion: string | null;
  readonly targetClass: string | null;
  /** Of the masking key. */
  readonly keyVersion: number | null;
  /** Whose masking keys were used: the environment's own, unless a document joins another's. */
  readonly keyEnvironment: string | null;
  readonly tokenKeyVersion: number | null;
  /** Tables of which each row is a person, as far as a pseudonym follows the person. */
  readonly people: readonly string[];
  readonly retentionDays: number | null;
  /** Of what documents state the log holds lengths only: whether they state it. */
  readonly states: Readonly<Record<'purpose' | 'legalBasis' | 'owner' | 'safeguard', boolean>>;
  readonly subjectCategories: number;
}

/** What columns of these tags hold, in the words of the list of tags; a tag that is no more in it stands for itself. */
export const toTagWords = (columns: readonly Pick<PlannedColumn, 'tag'>[]): string =>
  [...new Set(columns.map(({ tag }) => tags.get(tag)?.doc ?? tag))].sort().join('; ');

/** Columns and paths that hold something of a person. Those that only stand beside such a column are not among them. */
export const isTagged = ({ tag }: Pick<PlannedColumn, 'tag'>): boolean => tag !== 'none' && tag !== 'mixed' && tag !== '';

export interface Activity {
  readonly pipeline: string;
  readonly environment: string;
  /** Started or under way in the period; 0: what was published before it was there. */
  readonly runs: number;
  readonly published: number;
  readonly rows: number;
  /** Of those runs: when the first and the last of them was seen in the period. */
  readonly first: string;
  readonly last: string;
  /** Of the last publication within the period, or else before it. */
  readonly plan: PlanFacts | null;
  /** By which the masking key of that plan is known again, as it was recorded; null: it is in no entry. */
  readonly keyCheck: string | null;
}

interface Open {
  readonly key: string;
  /** Among the runs of the period. */
  counted: boolean;
  asked?: LoggedEvent;
}

interface Counted {
  readonly pipeline: string;
  readonly environment: string;
  runs: number;
  published: number;
  rows: number;
  first: string;
  last: string;
  asked: LoggedEvent | undefined;
  /** Versions that are there, by the runs that made them. */
  readonly there: Set<string>;
  /** One of them was there in the period. */
  stood: boolean;
}

export class Activities {
  readonly #runs = new Map<string, Open>();
  readonly #found = new Map<string, Counted>();
  /** Check values of masking keys, by environment and version. */
  readonly #checks = new Map<string, string>();

  constructor(private readonly period: Period) {}

  take(logged: LoggedEvent): void {
    const { event } = logged;
    if (event.type === 'run.started') return this.#begin(event);
    if (event.type === 'key.recorded') return this.#noteKey(event);
    if (/^dataset\.dropped\.(done|completed)$/.test(event.type)) return this.#drop(event);
    const run = this.#runs.get(event.runId);
    const activity = run && this.#found.get(run.key);
    if (!run || !activity) return;
    this.#count(run, activity, event.at);
    if (event.type === 'gate.asked') run.asked = logged;
    else if (event.type === 'table.loaded' && isWithin(this.period, event.at)) activity.rows += Number(event.data['rows'] ?? 0);
    else if (event.type === 'dataset.published.done' || event.type === 'dataset.published.completed') {
      activity.asked = run.asked ?? activity.asked;
      activity.there.add(event.runId);
      if (isWithin(this.period, event.at)) activity.published += 1;
    } else if (event.type === 'run.ended') this.#runs.delete(event.runId);
  }

  async end(): Promise<readonly Activity[]> {
    // To hold a copy is processing, too: one that was made before the period and stood in it is recorded.
    const found = [...this.#found.values()].filter(({ runs, there, stood }) => runs > 0 || stood || there.size > 0);
    const order = (one: Counted): string => `${one.environment} ${one.pipeline}`;
    found.sort((one, other) => (order(one) < order(other) ? -1 : 1));
    return Promise.all(
      found.map(async ({ asked, there: _, stood: __, ...activity }) => {
        const plan = asked ? await toPlanFacts(asked) : null;
        const key = plan && `${plan.keyEnvironment ?? activity.environment} ${plan.keyVersion}`;
        return { ...activity, plan, keyCheck: (key && this.#checks.get(key)) ?? null };
      }),
    );
  }

  #noteKey({ data }: Event): void {
    if ((textOf(data, 'purpose') ?? 'masking') !== 'masking') return;
    const [environment, version, check] = [textOf(data, 'environment'), textOf(data, 'version'), textOf(data, 'check')];
    if (environment !== null && version !== null && check !== null) this.#checks.set(`${environment} ${version}`, check);
  }

  #begin({ runId, at, data }: Event): void {
    const [pipeline, environment] = [textOf(data, 'pipeline') ?? '', textOf(data, 'environment') ?? ''];
    const key = JSON.stringify([pipeline, environment]);
    const run: Open = { key, counted: false };
    this.#runs.set(runId, run);
    const none = { runs: 0, published: 0, rows: 0, first: at, last: at, asked: undefined, stood: false };
    const activity = this.#found.get(key) ?? { pipeline, environment, ...none, there: new Set<string>() };
    this.#found.set(key, activity);
    this.#count(run, activity, at);
  }

  #count(run: Open, activity: Counted, at: string): void {
    if (run.counted || !isWithin(this.period, at)) return;
    run.counted = true;
    if (activity.runs === 0) activity.first = at;
    activity.runs += 1;
    activity.last = at;
  }

  #drop({ at, data }: Event): void {
    const run = textOf(data, 'run') ?? '';
    for (const activity of this.#found.values()) if (activity.there.delete(run) && at >= this.period.from) activity.stood = true;
  }
}

type Data = Readonly<Record<string, unknown>>;
const asData = (value: unknown): Data => (typeof value === 'object' && value !== null ? (value as Data) : {});
const asText = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const asNumber = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const asCount = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** `asked`: the entry of the question to the gate. */
export async function toPlanFacts(asked: LoggedEvent): Promise<PlanFacts> {
  const data = asData(asked.later ? await asked.later() : asked.event.data);
  const input = asData(data['input']);
  const [source, target, stated, key] = ['source', 'target', 'stated', 'key'].map((name) => asData(input[name])) as [
    Data,
    Data,
    Data,
    Data,
  ];
  const columns = Array.isArray(input['columns']) ? input['columns'].map(asData) : [];
  return {
    entry: toPlace(asked),
    columns: columns.map((one) => ({
      ...{ table: asText(one['table']) ?? '', column: asText(one['column']) ?? '', path: asText(one['path']) },
      ...{ tag: asText(one['tag']) ?? '', transform: asText(one['transform']) ?? '' },
      ...{ scope: asText(one['scope']) ?? '', domain: asText(one['domain']) ?? '' },
      reveals: Array.isArray(one['reveals']) ? one['reveals'].map(String) : [],
      reversible: one['reversible'] === true,
      speaksOfPerson: one['speaksOfPerson'] === true,
    })),
    sourceRegion: asText(source['region']),
    targetRegion: asText(target['region']),
    targetClass: asText(target['class']),
    keyVersion: asNumber(input['keyVersion']),
    keyEnvironment: asText(key['environment']),
    tokenKeyVersion: asNumber(input['tokenKeyVersion']),
    people: toPeople(asData(data['follows'])),
    retentionDays: asNumber(stated['retentionDays']),
    states: {
      purpose: asCount(stated['purposeLength']) > 0,
      legalBasis: asCount(stated['legalBasisLength']) > 0,
      owner: asCount(stated['ownerLength']) > 0,
      safeguard: asCount(target['safeguardLength']) > 0,
    },
    subjectCategories: asCount(stated['subjectCategories']),
  };
}

/** The tables whose rows pseudonyms of scope `subject` follow. */
function toPeople(follows: Data): readonly string[] {
  const followed = Object.values(follows).flatMap((of) => {
    const { subject } = asData(of);
    return Array.isArray(subject) ? subject.flatMap((one) => asText(asData(one)['table']) ?? []) : [];
  });
  return [...new Set(followed)].sort();
}
