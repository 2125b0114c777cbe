// What a population is: everything of one kind that the log tells of within a period, one item after the other, with the question that it answers.
import type { Json } from '../../../kernel/canonical-json.js';
import type { Event, LoggedEvent } from '../../event.js';
import { type Period, isWithin } from '../period.js';

export type Cell = string | number | null;

export interface Item {
  /** When it happened, or began. */
  readonly at: string;
  /** Entries of the log that say so: `2026/17`. */
  readonly entries: readonly string[];
  /** In the order of the population's columns. */
  readonly cells: readonly Cell[];
}

export interface PopulationColumn {
  readonly name: string;
  readonly means: string;
}

export interface Population {
  readonly name: string;
  readonly title: string;
  /** What was read and how it was put together, in words. */
  readonly query: string;
  /** Types of entries that it reads. */
  readonly types: readonly string[];
  readonly columns: readonly PopulationColumn[];
  readonly open: (period: Period) => PopulationReader;
}

/** Holds what is open, never what is told: its memory does not grow with the period. */
export interface PopulationReader {
  readonly take: (event: LoggedEvent) => readonly Item[];
  /** `asOf`: the last instant that the log was read up to. */
  readonly end: (asOf: string) => readonly Item[];
}

export const toPlace = ({ log, index }: Pick<LoggedEvent, 'log' | 'index'>): string => `${log}/${index}`;

type Pick1 = string | ((event: Event) => Cell);

/** One item for each entry of these types. `columns`: name → what it means and where in the data it stands, or how it follows. */
export function toldBy(
  of: Pick<Population, 'name' | 'title' | 'types'> & { readonly query?: string },
  columns: Readonly<Record<string, readonly [means: string, from: Pick1]>>,
): Population {
  const picks = Object.values(columns).map(([, from]) => (typeof from === 'string' ? (event: Event) => pick(event.data, from) : from));
  const types = new Set(of.types);
  return {
    ...of,
    query: of.query ?? `every entry of the type ${of.types.join(', ')} whose time lies in the period`,
    columns: Object.entries(columns).map(([name, [means]]) => ({ name, means })),
    open: (period) => ({
      take: (logged) => {
        const { event } = logged;
        if (!types.has(event.type) || !isWithin(period, event.at)) return [];
        return [{ at: event.at, entries: [toPlace(logged)], cells: picks.map((from) => from(event)) }];
      },
      end: () => [],
    }),
  };
}

/** Columns that several populations have. */
export const words = {
  actor: ['random id of who did it; empty: the service itself', 'actor'],
  type: ['what happened', (event: Event): Cell => event.type],
} as const;

/** Of an entry about a version of a copy: which one. */
export const copyWords = {
  pipeline: ['the pipeline that made it', 'pipeline'],
  environment: ['where it is', 'environment'],
  target: ['name of the target', 'target'],
  version: ['its number', 'version'],
} as const;

/** A member of the data by its path, as a cell: yes and no, lists with spaces, a commitment as what it is. */
export function pick(data: Event['data'], path: string): Cell {
  let value: Json | undefined = data;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    value = (value as Readonly<Record<string, Json | undefined>>)[name];
  }
  return toCell(value);
}

export function toCell(value: Json | undefined): Cell {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map((one: Json) => String(toCell(one) ?? '')).join(' ');
  const { committed } = value as Readonly<Record<string, Json | undefined>>;
  return typeof committed === 'string' ? committed : JSON.stringify(value);
}

export const textOf = (data: Event['data'], path: string): string | null => {
  const cell = pick(data, path);
  return cell === null ? null : String(cell);
};

/** The records of a list; what is none is left out. */
export const recordsOf = (value: Json | undefined): readonly Readonly<Record<string, Json>>[] =>
  (Array.isArray(value) ? (value as readonly Json[]) : []).flatMap((one) =>
    typeof one === 'object' && one !== null && !Array.isArray(one) ? [one as Readonly<Record<string, Json>>] : [],
  );
