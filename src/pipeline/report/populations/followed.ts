// What is asked for, decided and used in entries of its own: approvals, requests that a person be gone. One item for each, in every period in which
// something was said of it: what began at the end of one period and ended in the next would else be judged in none.
import type { Event, LoggedEvent } from '../../event.js';
import { type Period, isWithin } from '../period.js';
import { type Cell, type Item, type Population, type PopulationReader, textOf, toPlace } from './population.js';

interface Followed {
  readonly at: string;
  readonly entries: string[];
  readonly cells: Record<string, Cell>;
  /** An entry of it lies in the period. */
  within: boolean;
}

export interface Kind {
  readonly names: readonly string[];
  readonly begins: (event: Event) => string | undefined;
  readonly goesOn: (event: Event) => string | undefined;
  /** Whether that was the end of it. */
  readonly take: (cells: Record<string, Cell>, event: Event) => boolean;
  /** What is said of one that has no end in what was read. */
  readonly left?: (cells: Record<string, Cell>, at: string, asOf: string) => void;
  /** Of one that has no end in what was read: somebody owes it one, so that it is of every period until it has it. */
  readonly isOwed?: (cells: Readonly<Record<string, Cell>>) => boolean;
  /** Items that no other entry belongs to. */
  readonly alone?: (event: Event) => Record<string, Cell> | undefined;
}

export class FollowedReader implements PopulationReader {
  readonly #open = new Map<string, Followed>();

  constructor(
    private readonly kind: Kind,
    private readonly period: Period,
  ) {}

  take(logged: LoggedEvent): readonly Item[] {
    const { event } = logged;
    const alone = this.kind.alone?.(event);
    const within = isWithin(this.period, event.at);
    if (alone) return this.#close({ at: event.at, entries: [toPlace(logged)], cells: alone, within });
    const begun = this.kind.begins(event);
    if (begun !== undefined) {
      const one: Followed = { at: event.at, entries: [toPlace(logged)], cells: {}, within };
      this.kind.take(one.cells, event);
      // One that begins anew although nothing told how it ended is an item of its own.
      const before = this.#open.get(begun);
      this.#open.set(begun, one);
      return before ? this.#close(before) : [];
    }
    const key = this.kind.goesOn(event);
    const one = key === undefined ? undefined : this.#open.get(key);
    if (key === undefined || !one) return [];
    one.entries.push(toPlace(logged));
    one.within ||= within;
    if (!this.kind.take(one.cells, event)) return [];
    this.#open.delete(key);
    return this.#close(one);
  }

  end(asOf: string): readonly Item[] {
    const left = [...this.#open.values()];
    this.#open.clear();
    for (const one of left) {
      this.kind.left?.(one.cells, one.at, asOf);
      one.within ||= one.at < this.period.to && this.kind.isOwed?.(one.cells) === true;
    }
    return left.flatMap((one) => this.#close(one));
  }

  #close({ at, entries, cells, within }: Followed): readonly Item[] {
    return within ? [{ at, entries, cells: this.kind.names.map((name) => cells[name] ?? null) }] : [];
  }
}

const approvalColumns = {
  approval: 'its id',
  kind: 'what was to be agreed to',
  digest: 'digest of what was shown to whoever decided',
  run: 'the run that waited for it, where there was one',
  askedBy: 'random id of who asked; empty: the service itself',
  state: 'waiting, approved, used, refused, expired or void, as far as was read',
  decidedBy: 'random id of who approved or refused',
  decidedAt: 'when',
};

export const approvals: Population = {
  name: 'approvals',
  title: 'Approvals by a second person',
  query:
    'every approval of which an entry approval.… has a time that lies in the period, with all its entries approval.… up to the end of the period',
  types: ['approval.wanted', 'approval.approved', 'approval.refused', 'approval.used', 'approval.expired', 'approval.void'],
  columns: Object.entries(approvalColumns).map(([name, means]) => ({ name, means })),
  open: (period) =>
    new FollowedReader(
      {
        names: Object.keys(approvalColumns),
        begins: ({ type, data }) => (type === 'approval.wanted' ? (textOf(data, 'approval') ?? undefined) : undefined),
        goesOn: ({ type, data }) => (type.startsWith('approval.') ? (textOf(data, 'approval') ?? undefined) : undefined),
        take: (cells, { type, at, data }) => {
          const state = type.slice('approval.'.length);
          cells['state'] = state === 'wanted' ? 'waiting' : state;
          if (state === 'wanted')
            Object.assign(cells, {
              ...{ approval: textOf(data, 'approval'), kind: textOf(data, 'kind'), digest: textOf(data, 'digest') },
              ...{ run: textOf(data, 'run'), askedBy: textOf(data, 'actor') },
            });
          // What takes effect with the yes is used at once; later it is used by whoever goes on by it.
          const isUsedAtOnce = state === 'used' && (cells['decidedBy'] ?? null) === null;
          if (state === 'approved' || state === 'refused' || isUsedAtOnce)
            Object.assign(cells, { decidedBy: textOf(data, 'actor'), decidedAt: at });
          return !['wanted', 'approved'].includes(state);
        },
      },
      period,
    ),
};

const requestColumns = {
  erasure: 'random id of the request',
  target: 'target whose copies are meant',
  environment: 'environment',
  reason: 'commitment to why',
  askedBy: 'random id of who recorded it',
  completedAt: 'when nothing of before was left on the target; empty: that is not said',
  days: 'days from the request to that, or to the last instant that was read; one that was begun counts whole',
};

const daysBetween = (from: string, to: string): number => Math.max(0, Math.ceil((Date.parse(to) - Date.parse(from)) / 86_400_000));

export const erasureRequests: Population = {
  name: 'erasure-requests',
  title: 'Requests that a person be gone from copies',
  query:
    'every request that an entry erasure.requested tells of and that was not completed before the period began, whenever it was made, with the entry erasure.completed of the same request',
  types: ['erasure.requested', 'erasure.completed'],
  columns: Object.entries(requestColumns).map(([name, means]) => ({ name, means })),
  open: (period) =>
    new FollowedReader(
      {
        names: Object.keys(requestColumns),
        begins: ({ type, data }) => (type === 'erasure.requested' ? (textOf(data, 'erasure') ?? undefined) : undefined),
        goesOn: ({ type, data }) => (type === 'erasure.completed' ? (textOf(data, 'erasure') ?? undefined) : undefined),
        take: (cells, { type, at, data }) => {
          if (type === 'erasure.completed')
            Object.assign(cells, { completedAt: at, days: daysBetween(String(cells['askedAt']), at), askedAt: null });
          else
            Object.assign(cells, {
              ...{ erasure: textOf(data, 'erasure'), target: textOf(data, 'target'), environment: textOf(data, 'environment') },
              ...{ reason: textOf(data, 'reason'), askedBy: textOf(data, 'actor'), askedAt: at },
            });
          return type === 'erasure.completed';
        },
        left: (cells, at, asOf) => void (cells['days'] = daysBetween(at, asOf)),
        isOwed: () => true,
      },
      period,
    ),
};
