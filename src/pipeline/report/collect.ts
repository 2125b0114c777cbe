// One pass over the log: every population's items, what every check says of them, and what the documents count. What is kept is counts, lists of
// stated length and what is open; items go to whoever takes them.
import { createHash } from 'node:crypto';

import type { LoggedEvent } from '../event.js';
import { Activities, type Activity } from './activities.js';
import { type Check, checks } from './checks.js';
import { Current, type CurrentVersion, toCurrentVersion } from './current.js';
import type { Conclusion } from './document.js';
import type { Period } from './period.js';
import { type Cell, type Item, type Population, type PopulationReader, textOf } from './populations/population.js';
import { populations } from './populations/populations.js';
import { type Recipient, Recipients } from './recipients.js';
import { type Said, toSaid } from './said.js';
import { type TestedDay, TestedDays } from './tested-days.js';

export interface Deviation {
  readonly check: string;
  readonly population: string;
  readonly conclusion: Conclusion;
  readonly item: Item;
  readonly said: Said;
}

export interface CheckResult {
  readonly check: Check;
  readonly conclusion: Conclusion;
  readonly tested: number;
  readonly counts: Readonly<Record<Conclusion, number>>;
  /** The first that did not pass. */
  readonly deviations: readonly Deviation[];
}

export interface PopulationCount {
  readonly population: Population;
  readonly rows: number;
  /** The first items, in the order in which they came to their end. */
  readonly first: readonly Item[];
  /** Chosen by a seed: the smallest digests. */
  readonly sample: readonly Item[];
}

export interface Collected {
  readonly period: Period;
  /** The last instant that was read, at most the end of the period. */
  readonly asOf: string;
  /** Of the period; null where it has none. */
  readonly range: { readonly first: string; readonly last: string } | null;
  readonly entriesRead: number;
  /** When the first entry was written that was read; null: there is none. */
  readonly oldest: string | null;
  readonly entriesOfPeriod: number;
  readonly populations: ReadonlyMap<string, PopulationCount>;
  readonly checks: ReadonlyMap<string, CheckResult>;
  readonly activities: readonly Activity[];
  readonly recipients: readonly Recipient[];
  readonly testedDays: readonly TestedDay[];
  /** What stands in each target at the last instant that was read. */
  readonly current: readonly CurrentVersion[];
  readonly policies: readonly PolicyInForce[];
  /** By the day on which they began, or `BEFORE`: runs, and items that were exceptions. */
  readonly days: ReadonlyMap<string, { readonly runs: number; readonly exceptions: number }>;
}

export interface PolicyInForce {
  readonly revision: string;
  readonly digest: string;
  readonly of: 'plans' | 'deployments';
  readonly first: string;
  readonly last: string;
  readonly decisions: number;
}

export interface Takers {
  /** Each item of each population, once. */
  readonly item?: (population: Population, item: Item) => Promise<void> | void;
  readonly deviation?: (deviation: Deviation) => Promise<void> | void;
  /** Up to when the log is known to tell what happened, where that is later than the last entry that is read. */
  readonly asOf?: string;
  /** Of the samples; absent: none are taken. */
  readonly seed?: string;
}

export const SHOWN = 200;
export const SAMPLE = 25;
/** What began before the period and is in it stands under no day of it. */
const BEFORE = 'before';

/** Types whose data the pass needs only of some: those have it read when the log is at its end. */
export const readLater: ReadonlySet<string> = new Set(['gate.asked']);

export async function collect(entries: AsyncIterable<LoggedEvent>, period: Period, takers: Takers = {}): Promise<Collected> {
  const pass = new Pass(period, takers);
  for await (const logged of entries) {
    const taken = pass.take(logged);
    if (taken) await taken;
  }
  return pass.end();
}

interface Counting {
  readonly population: Population;
  readonly reader: PopulationReader;
  readonly checks: readonly Tally[];
  readonly names: readonly string[];
  rows: number;
  readonly first: Item[];
  readonly sample: { readonly rank: string; readonly item: Item }[];
}

interface Tally {
  readonly check: Check;
  readonly counts: Record<Conclusion, number>;
  readonly deviations: Deviation[];
}

class Pass {
  readonly #countings: readonly Counting[];
  readonly #byType = new Map<string, Counting[]>();
  readonly #activities: Activities;
  readonly #recipients: Recipients;
  readonly #testedDays: TestedDays;
  readonly #current = new Current(toCurrentVersion);
  readonly #policies = new Map<string, { -readonly [Member in keyof PolicyInForce]: PolicyInForce[Member] }>();
  readonly #days = new Map<string, { runs: number; exceptions: number }>();
  /** Who gave an approval, by its id. */
  readonly #approvers = new Map<string, string>();
  #first: string | undefined;
  #last = '';
  #read = 0;
  #within = 0;
  #lastAt = '';
  #oldest: string | null = null;

  constructor(
    private readonly period: Period,
    private readonly takers: Takers,
  ) {
    this.#activities = new Activities(period);
    this.#recipients = new Recipients(period);
    this.#testedDays = new TestedDays(period);
    this.#countings = populations.map((population) => ({
      ...{ population, reader: population.open(period), names: population.columns.map(({ name }) => name), rows: 0, first: [], sample: [] },
      checks: checks
        .filter((check) => check.population === population.name)
        .map((check) => ({ check, counts: { pass: 0, exception: 0, 'no evidence': 0 }, deviations: [] })),
    }));
    for (const counting of this.#countings)
      for (const type of new Set(counting.population.types)) this.#byType.set(type, [...(this.#byType.get(type) ?? []), counting]);
  }

  take(logged: LoggedEvent): Promise<void> | undefined {
    const { at, type } = logged.event;
    this.#read += 1;
    this.#oldest ??= at;
    // What came later than the period may stand before its last entry; it belongs to no item.
    if (at >= this.period.to) return undefined;
    if (at > this.#lastAt) this.#lastAt = at;
    if (at >= this.period.from) {
      this.#within += 1;
      this.#first ??= `${logged.log}/${logged.index}`;
      this.#last = `${logged.log}/${logged.index}`;
      this.#notePolicy(logged);
    }
    for (const reader of [this.#activities, this.#recipients, this.#testedDays, this.#current]) reader.take(logged);
    if (type === 'approval.approved' || type === 'approval.used') this.#noteApprover(logged);
    let waiting: Promise<void> | undefined;
    for (const counting of this.#byType.get(type) ?? [])
      for (const item of counting.reader.take(logged)) {
        const taken = this.#item(counting, item);
        if (taken) waiting = waiting ? Promise.all([waiting, taken]).then(() => undefined) : taken;
      }
    return waiting;
  }

  async end(): Promise<Collected> {
    const { asOf: known = '' } = this.takers;
    const asOf = known > this.#lastAt ? known : this.#lastAt;
    for (const counting of this.#countings) for (const item of counting.reader.end(asOf)) await this.#item(counting, item);
    const results = this.#countings.flatMap(({ checks: tallies }) => tallies.map(toResult));
    return {
      ...{ period: this.period, asOf, entriesRead: this.#read, oldest: this.#oldest, entriesOfPeriod: this.#within },
      range: this.#first === undefined ? null : { first: this.#first, last: this.#last },
      populations: new Map(
        this.#countings.map(({ population, rows, first, sample }) => [
          population.name,
          { population, rows, first, sample: sample.map(({ item }) => item) },
        ]),
      ),
      checks: new Map(results.map((result) => [result.check.id, result])),
      activities: await this.#activities.end(),
      recipients: this.#recipients.end(),
      testedDays: this.#testedDays.end(),
      current: this.#current.list(),
      policies: [...this.#policies.values()],
      days: new Map([...this.#days].sort(([one], [other]) => (one === BEFORE || (other !== BEFORE && one < other) ? -1 : 1))),
    };
  }

  #item(counting: Counting, item: Item): Promise<void> | undefined {
    const { population, first } = counting;
    counting.rows += 1;
    if (first.length < SHOWN) first.push(item);
    this.#choose(counting, item);
    const day = population.name === 'runs' ? this.#dayOf(item) : undefined;
    if (day) day.runs += 1;
    const told: (Promise<void> | void)[] = [this.takers.item?.(population, item)];
    if (counting.checks.length > 0) {
      const cells: Record<string, Cell> = Object.fromEntries(counting.names.map((name, i) => [name, item.cells[i] ?? null]));
      for (const tally of counting.checks) told.push(this.#judge(tally, cells, item));
    }
    const waiting = told.filter((one) => one instanceof Promise);
    return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => undefined);
  }

  #judge({ check, counts, deviations }: Tally, cells: Readonly<Record<string, Cell>>, item: Item): Promise<void> | void {
    const conclusion = check.judge(cells);
    if (conclusion === undefined) return undefined;
    counts[conclusion] += 1;
    if (conclusion === 'pass') return undefined;
    const deviation: Deviation = { check: check.id, population: check.population, conclusion, item, said: toSaid(cells, this.#approvers) };
    if (deviations.length < SHOWN) deviations.push(deviation);
    if (conclusion === 'exception') this.#dayOf(item).exceptions += 1;
    return this.takers.deviation?.(deviation);
  }

  #noteApprover({ event: { data } }: LoggedEvent): void {
    const [approval, actor] = [textOf(data, 'approval'), textOf(data, 'actor')];
    if (approval !== null && actor !== null && !this.#approvers.has(approval)) this.#approvers.set(approval, actor);
  }

  #dayOf({ at }: Item): { runs: number; exceptions: number } {
    const key = at < this.period.from ? BEFORE : at.slice(0, 10);
    const day = this.#days.get(key) ?? { runs: 0, exceptions: 0 };
    this.#days.set(key, day);
    return day;
  }

  #choose({ population, sample }: Counting, item: Item): void {
    const { seed } = this.takers;
    if (seed === undefined) return;
    const rank = createHash('sha256')
      .update(`${seed}\n${population.name}\n${item.entries.join(' ')}`)
      .digest('hex');
    if (sample.length === SAMPLE && rank >= sample[SAMPLE - 1]!.rank) return;
    const at = sample.findIndex((one) => one.rank > rank);
    sample.splice(at < 0 ? sample.length : at, 0, { rank, item });
    sample.length = Math.min(sample.length, SAMPLE);
  }

  #notePolicy({ event: { type, at, data } }: LoggedEvent): void {
    if (type !== 'plan.decided' && type !== 'deployment.decided') return;
    const of = type === 'plan.decided' ? 'plans' : 'deployments';
    const holder = (type === 'plan.decided' ? data['decision'] : data) as
      { readonly policy?: { readonly revision: string; readonly digest: string } } | undefined;
    const { revision, digest } = holder?.policy ?? {};
    if (typeof revision !== 'string' || typeof digest !== 'string') return;
    const key = `${of} ${revision} ${digest}`;
    const known = this.#policies.get(key);
    if (!known) this.#policies.set(key, { of, revision, digest, first: at, last: at, decisions: 1 });
    else {
      known.last = at;
      known.decisions += 1;
    }
  }
}

function toResult({ check, counts, deviations }: Tally): CheckResult {
  const tested = counts.pass + counts.exception + counts['no evidence'];
  const conclusion: Conclusion = counts.exception > 0 ? 'exception' : tested === 0 || counts['no evidence'] > 0 ? 'no evidence' : 'pass';
  return { check, conclusion, tested, counts, deviations };
}
