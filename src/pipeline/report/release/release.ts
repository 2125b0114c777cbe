// One release, by the commits that a tag was: what gates decided of it, what they went by, what was current where it went, and how long that took to make.
import type { LoggedEvent } from '../../event.js';
import { Current, type CurrentVersion, toCurrentVersion } from '../current.js';
import { type Period, isWithin } from '../period.js';
import { type Cell, pick, textOf, toPlace } from '../populations/population.js';

/** A commit that the tag was, and who says so. */
export interface ReleaseCommit {
  readonly commit: string;
  /** Entries of calls of gates, signed by whoever deploys; none: whoever asked for the report says so. */
  readonly entries: readonly string[];
}

export interface ReleaseDecision {
  readonly at: string;
  readonly entry: string;
  readonly cells: Readonly<Record<(typeof decided)[number], Cell>>;
  /** What was current in that environment when it was decided. */
  readonly current: readonly ReleasedVersion[];
}

export interface ReleasedVersion extends CurrentVersion {
  readonly pipeline: Cell;
  /** From the start of its run, and from when somebody or something asked for it; null: no entry says. */
  readonly tookSeconds: number | null;
  readonly waitedSeconds: number | null;
  readonly entry: string;
}

export interface Told {
  readonly at: string;
  readonly entry: string;
  readonly type: string;
  readonly cells: readonly Cell[];
}

export interface Release {
  readonly tag: string;
  readonly commits: readonly ReleaseCommit[];
  readonly decisions: readonly ReleaseDecision[];
  readonly flips: readonly Told[];
  readonly breakglasses: readonly Told[];
  readonly evidence: readonly Told[];
  readonly waivers: readonly Told[];
}

type Kind = 'flips' | 'breakglasses' | 'evidence' | 'waivers';

const decided = [
  ...(['decision', 'gate', 'environment', 'service', 'commit', 'allow', 'enforced', 'codes'] as const),
  ...(['score', 'threshold', 'dataset', 'waived'] as const),
] as const;

const COMMIT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** Which commits a tag was: as calls of gates said it, or a commit itself. A tag that was moved was several. */
export async function findCommits(
  entries: AsyncIterable<LoggedEvent>,
  tag: string,
  given: string | undefined,
): Promise<readonly ReleaseCommit[]> {
  const found = new Map<string, string[]>();
  const named = given ?? (COMMIT.test(tag) ? tag : undefined);
  if (named !== undefined) found.set(named, []);
  for await (const logged of entries) {
    const { type, data } = logged.event;
    if (type !== 'gate.called' || data['tag'] !== tag) continue;
    const commit = textOf(data, 'commit');
    if (commit !== null) found.set(commit, [...(found.get(commit) ?? []), toPlace(logged)]);
  }
  return [...found].map(([commit, places]) => ({ commit, entries: places }));
}

interface Began {
  startedAt?: string;
  queuedAt?: string;
}

export class ReleaseReader {
  readonly #commits: ReadonlySet<string>;
  readonly #began = new Map<string, Began>();
  readonly #current = new Current<ReleasedVersion>((logged) => this.#toVersion(logged));
  readonly #decisions: ReleaseDecision[] = [];
  readonly #told: Record<Kind, Told[]> = { flips: [], breakglasses: [], evidence: [], waivers: [] };
  readonly #glass = new Set<string>();
  readonly #reports = new Set<string>();
  readonly #waived = new Set<string>();

  constructor(
    private readonly tag: string,
    private readonly commits: readonly ReleaseCommit[],
    private readonly period: Period,
  ) {
    this.#commits = new Set(commits.map(({ commit }) => commit));
  }

  /** Passes on what it reads: one reading of the log is enough for everything. */
  async *reading(entries: AsyncIterable<LoggedEvent>): AsyncGenerator<LoggedEvent> {
    for await (const logged of entries) {
      if (logged.event.at < this.period.to) this.#take(logged);
      yield logged;
    }
  }

  end(): Release {
    return { tag: this.tag, commits: this.commits, decisions: this.#decisions, ...this.#told };
  }

  #take(logged: LoggedEvent): void {
    const { type, at, runId, data } = logged.event;
    if (type === 'run.queued') this.#note(textOf(data, 'run') ?? runId).queuedAt ??= at;
    else if (type === 'run.started') this.#note(runId).startedAt = at;
    else if (type === 'run.ended') this.#began.delete(runId);
    else if (/^dataset\.(published|dropped|rolled-back)\./.test(type)) this.#current.take(logged);
    else if (isWithin(this.period, at)) this.#takeOfRelease(logged);
  }

  #takeOfRelease(logged: LoggedEvent): void {
    const { type, data } = logged.event;
    const isOurs = this.#commits.has(textOf(data, 'commit') ?? '');
    if (type === 'deployment.decided' && isOurs) this.#decide(logged);
    else if (type === 'deployment.flipped' && isOurs)
      this.#tell('flips', logged, ['decision', 'environment', 'service', 'codes', 'revoked']);
    else if (type.startsWith('breakglass.')) {
      const id = textOf(data, 'breakglass') ?? '';
      if (type === 'breakglass.issued' && isOurs) this.#glass.add(id);
      if (this.#glass.has(id))
        this.#tell('breakglasses', logged, ['breakglass', 'environment', 'service', 'actor', 'approvedBy', 'misfit']);
    } else if (type === 'evidence.received' || type === 'evidence.withdrawn') {
      const id = textOf(data, 'evidence') ?? '';
      const isOfCommit = data['subjectKind'] === 'commit' && this.#commits.has(textOf(data, 'subject') ?? '');
      if (isOfCommit) this.#reports.add(id);
      if (this.#reports.has(id)) this.#tell('evidence', logged, ['evidence', 'format', 'missing', 'counts', 'actor']);
    } else if (type === 'waiver.granted' || type === 'waiver.ended') {
      const id = textOf(data, 'waiver') ?? '';
      if (data['scopeKind'] === 'commit' && this.#commits.has(textOf(data, 'scope') ?? '')) this.#waived.add(id);
      if (this.#waived.has(id)) this.#tell('waivers', logged, ['waiver', 'rule', 'until', 'approval', 'actor']);
    }
  }

  #note(run: string): Began {
    const began = this.#began.get(run) ?? {};
    this.#began.set(run, began);
    return began;
  }

  #tell(kind: Kind, logged: LoggedEvent, names: readonly string[]): void {
    const { at, type, data } = logged.event;
    this.#told[kind].push({ at, type, entry: toPlace(logged), cells: names.map((name) => pick(data, name)) });
  }

  #decide(logged: LoggedEvent): void {
    const { at, data } = logged.event;
    const cells = Object.fromEntries(decided.map((name) => [name, pick(data, name)])) as ReleaseDecision['cells'];
    const current = this.#current.list().filter(({ environment }) => environment === cells.environment);
    this.#decisions.push({ at, entry: toPlace(logged), cells, current });
  }

  #toVersion(logged: LoggedEvent): ReleasedVersion {
    const { at, runId, data } = logged.event;
    const { startedAt, queuedAt } = this.#began.get(runId) ?? {};
    return {
      ...{ ...toCurrentVersion(logged), pipeline: pick(data, 'pipeline'), entry: toPlace(logged) },
      ...{ tookSeconds: toSeconds(startedAt, at), waitedSeconds: toSeconds(queuedAt, at) },
    };
  }
}

function toSeconds(from: string | undefined, to: string): number | null {
  if (from === undefined) return null;
  const ms = Date.parse(to) - Date.parse(from);
  return Number.isNaN(ms) ? null : Math.max(0, Math.round(ms / 1000));
}
