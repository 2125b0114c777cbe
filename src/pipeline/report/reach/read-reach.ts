// What the log tells of one target for the question where a person is: versions that were made, what became of each, where parts of them went from there,
// and what was asked for and done to erase people. The log knows no person: whether somebody is in a copy is looked for in the copy.
import type { Event, LoggedEvent } from '../../event.js';
import { type TracedColumn, isFound } from '../../trace-person.js';
import { textOf, toPlace } from '../populations/population.js';

export interface ReachPlace {
  /** Identifier of the server, and name of the database there. */
  readonly server: string;
  readonly target: string;
  readonly environment: string;
}

export interface ReachVersion {
  readonly run: string;
  readonly version: number;
  readonly publishedAt: string;
  readonly endedAt: string | null;
  readonly why: string | null;
  /** Whether what was dropped was looked for again and not found; null: it was not dropped, or nobody says. */
  readonly seenGone: boolean | null;
  readonly entries: readonly string[];
}

/** Something that left the target's server, or lies beside it sealed: nobody looks into it from here. */
export interface ReachElsewhere {
  readonly kind: 'archive' | 'archive handed out' | 'topic' | 'server of an agent';
  readonly version: number | null;
  readonly what: string | null;
  readonly who: string | null;
  readonly at: string;
  readonly entry: string;
}

export interface ReachErasure {
  readonly erasure: string;
  readonly requestedAt: string;
  readonly completedAt: string | null;
  /** Rows in which the person stood before, as the receipt counts them; null: no receipt, or nobody looked. */
  readonly rowsFound: number | null;
  readonly dropped: number | null;
  readonly left: number | null;
  readonly entries: readonly string[];
}

export interface ReachFacts {
  readonly place: ReachPlace;
  /** First and last instant that was read. */
  readonly from: string;
  readonly asOf: string;
  readonly entriesRead: number;
  readonly versions: readonly ReachVersion[];
  readonly clonesDropped: number;
  readonly elsewhere: readonly ReachElsewhere[];
  readonly erasures: readonly ReachErasure[];
}

export async function readReach(entries: AsyncIterable<LoggedEvent>, place: ReachPlace): Promise<ReachFacts> {
  const reader = new ReachReader(place);
  for await (const logged of entries) reader.take(logged);
  return reader.end();
}

type Open<Value> = { -readonly [Member in keyof Value]: Value[Member] };

class ReachReader {
  readonly #versions = new Map<string, Open<ReachVersion>>();
  readonly #erasures = new Map<string, Open<ReachErasure>>();
  /** By name: those that are not dropped. */
  readonly #archives = new Map<string, ReachElsewhere>();
  /** Of runs whose target is not known yet. */
  readonly #sent = new Map<string, ReachElsewhere>();
  readonly #elsewhere: ReachElsewhere[] = [];
  #clonesDropped = 0;
  #from = '';
  #asOf = '';
  #read = 0;

  constructor(private readonly place: ReachPlace) {}

  take(logged: LoggedEvent): void {
    const { event } = logged;
    this.#read += 1;
    if (this.#from === '') this.#from = event.at;
    if (event.at > this.#asOf) this.#asOf = event.at;
    const { data } = event;
    const isOurs = textOf(data, 'target') === this.place.target && [null, this.place.server].includes(textOf(data, 'server'));
    if (event.type === 'dataset.sent') this.#sent.set(event.runId, this.#toElsewhere(logged, 'topic', 'topic'));
    if (event.type === 'archive.written') this.#sent.set(`${event.runId} archive`, this.#toElsewhere(logged, 'archive', 'name'));
    if (event.type === 'erasure.receipt') this.#noteReceipt(logged);
    if (event.type === 'archive.dropped' && isOurs)
      for (const name of Array.isArray(data['names']) ? data['names'] : []) this.#archives.delete(String(name));
    if (isOurs) this.#takeOurs(logged, event);
  }

  end(): ReachFacts {
    return {
      ...{ place: this.place, from: this.#from, asOf: this.#asOf, entriesRead: this.#read },
      versions: [...this.#versions.values()],
      clonesDropped: this.#clonesDropped,
      elsewhere: [...this.#archives.values(), ...this.#elsewhere],
      erasures: [...this.#erasures.values()],
    };
  }

  #takeOurs(logged: LoggedEvent, { type, at, data, runId }: Event): void {
    const entry = toPlace(logged);
    switch (type) {
      case 'dataset.published.done':
      case 'dataset.published.completed':
        return this.#publish(logged);
      case 'dataset.dropped.done':
      case 'dataset.dropped.completed': {
        const version = this.#versions.get(textOf(data, 'run') ?? '');
        if (version)
          Object.assign(version, { endedAt: at, why: textOf(data, 'why'), seenGone: toSeen(data), entries: [...version.entries, entry] });
        return;
      }
      case 'clone.dropped.done':
      case 'clone.dropped.completed':
        this.#clonesDropped += 1;
        return;
      case 'dataset.pulled':
        this.#elsewhere.push({ ...this.#toElsewhere(logged, 'archive handed out', 'sha256'), who: textOf(data, 'actor') });
        return;
      case 'erasure.requested':
        this.#erasures.set(textOf(data, 'erasure') ?? runId, {
          ...{ erasure: textOf(data, 'erasure') ?? '', requestedAt: at, completedAt: null, entries: [entry] },
          ...{ rowsFound: null, dropped: null, left: null },
        });
        return;
      case 'erasure.completed': {
        const erasure = this.#erasures.get(textOf(data, 'erasure') ?? '');
        if (erasure) Object.assign(erasure, { completedAt: at, entries: [...erasure.entries, entry] });
      }
    }
  }

  #publish(logged: LoggedEvent): void {
    const { at, data, runId } = logged.event;
    const version = Number(data['version'] ?? 0);
    this.#versions.set(runId, {
      ...{ run: runId, version, publishedAt: at, endedAt: null, why: null, seenGone: null, entries: [toPlace(logged)] },
    });
    const [sent, archive] = [this.#sent.get(runId), this.#sent.get(`${runId} archive`)];
    if (sent) this.#elsewhere.push(sent);
    if (archive?.what) this.#archives.set(archive.what, archive);
    const { servers } = data;
    for (const server of Array.isArray(servers) ? servers : [])
      this.#elsewhere.push({ kind: 'server of an agent', version, what: String(server), who: null, at, entry: toPlace(logged) });
  }

  #noteReceipt(logged: LoggedEvent): void {
    const { data } = logged.event;
    const erasure = this.#erasures.get(textOf(data, 'erasure') ?? '');
    if (!erasure) return;
    const lengthOf = (name: string): number | null => (Array.isArray(data[name]) ? data[name].length : null);
    Object.assign(erasure, {
      ...{ rowsFound: toRows(data['traced']), dropped: lengthOf('dropped'), left: lengthOf('left') },
      entries: [...erasure.entries, toPlace(logged)],
    });
  }

  #toElsewhere(logged: LoggedEvent, kind: ReachElsewhere['kind'], name: string): ReachElsewhere {
    const { at, data } = logged.event;
    const version = typeof data['version'] === 'number' ? data['version'] : null;
    return { kind, version, what: textOf(data, name), who: null, at, entry: toPlace(logged) };
  }
}

function toSeen({ dropped }: Event['data']): boolean | null {
  if (!Array.isArray(dropped)) return null;
  return dropped.every((one) => (one as { readonly seen?: unknown } | null)?.seen === 'gone');
}

/** Of versions that answered; null: none did. */
function toRows(traced: unknown): number | null {
  if (!Array.isArray(traced)) return null;
  const columns = traced.flatMap((one) => (one as { readonly columns?: readonly TracedColumn[] | null }).columns ?? []);
  return columns.filter(isFound).reduce((sum, { rows }) => sum + rows, 0);
}
