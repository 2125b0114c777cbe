// Parts that several reports have: controls with what speaks of them, exceptions, populations.
import type { CheckResult, Collected, Deviation } from './collect.js';
import { SHOWN } from './collect.js';
import type { LogState } from './context.js';
import type { Block, Column, Conclusion, Field, Section, Table } from './document.js';
import type { Control, Framework } from './frameworks/frameworks.js';
import { evidenced, text } from './front.js';

export const column = (title: string, kind: Column['kind'] = 'text'): Column => ({ title, kind });

export interface ControlResult {
  readonly control: Control;
  readonly conclusion: Conclusion;
  readonly checks: readonly CheckOutcome[];
}

export interface CheckOutcome {
  readonly id: string;
  readonly title: string;
  readonly conclusion: Conclusion;
  readonly tested: number;
  readonly exceptions: number;
}

/** Of the log itself: that its key was not given is no evidence, whatever else holds. */
export function toLogOutcome({ entriesRead }: Collected, state: LogState): CheckOutcome {
  const conclusion = state === 'whole' && entriesRead > 0 ? 'pass' : state === 'broken' ? 'exception' : 'no evidence';
  return { id: 'log-verifies', title: 'The log verifies', conclusion, tested: entriesRead, exceptions: state === 'broken' ? 1 : 0 };
}

const toOutcome = ({ check, conclusion, tested, counts }: CheckResult): CheckOutcome => ({
  ...{ id: check.id, title: check.title, conclusion, tested, exceptions: counts.exception },
});

/** A control passes only if every check that speaks of it has evidence and no exception; one without checks never does. */
export function toControlResults({ controls }: Framework, collected: Collected, state: LogState): readonly ControlResult[] {
  const log = toLogOutcome(collected, state);
  return controls.map((control) => {
    const found = control.checks.map((id) => (id === log.id ? log : toOutcome(collected.checks.get(id)!)));
    const has = (conclusion: Conclusion): boolean => found.some((one) => one.conclusion === conclusion);
    const conclusion = has('exception') ? 'exception' : found.length === 0 || has('no evidence') ? 'no evidence' : 'pass';
    return { control, conclusion, checks: found };
  });
}

export function toControlSection(framework: Framework, results: readonly ControlResult[]): Section {
  const rows = results.map(({ control, conclusion, checks }) => [
    ...[control.id, control.about, conclusion, checks.reduce((sum, one) => sum + one.tested, 0)],
    ...[checks.reduce((sum, one) => sum + one.exceptions, 0), toCheckWords(checks), control.beyond ?? ''],
  ]);
  return {
    id: 'controls',
    title: `Controls: ${framework.title}, ${framework.edition}`,
    blocks: [
      text(
        'Ids are those of the framework, words are ours. A control says pass where every check that speaks of it found evidence and no exception. That is no statement about the framework as a whole, nor about anything that no check reaches.',
      ),
      {
        kind: 'table',
        columns: [
          ...[column('Control', 'id'), column('What it is about'), column('Result', 'conclusion'), column('Items tested', 'number')],
          ...[column('Exceptions', 'number'), column('Checks'), column('Not reached')],
        ],
        rows,
      },
    ],
  };
}

/** Which of them had nothing to go by, so that nobody has to look that up. */
function toCheckWords(checks: readonly CheckOutcome[]): string {
  const toNames = (isOpen: boolean): string =>
    checks.flatMap(({ id, conclusion }) => ((conclusion === 'no evidence') === isOpen ? [id] : [])).join(', ');
  const [found, open] = [toNames(false), toNames(true)];
  return [found, open && `without evidence: ${open}`].filter(Boolean).join('; ') || 'none';
}

/** For page 1: how many controls came to what. */
export function toControlFields(results: readonly ControlResult[], { checks }: Collected): readonly Field[] {
  const count = (conclusion: Conclusion): number => results.filter((one) => one.conclusion === conclusion).length;
  const tallies = [...checks.values()];
  const sum = (of: (one: CheckResult) => number): number => tallies.reduce((all, one) => all + of(one), 0);
  return [
    evidenced(
      'Controls of this report',
      `${results.length}: ${count('pass')} with evidence and no exception · ${count('exception')} with an exception · ${count('no evidence')} without evidence, or without enough of it`,
    ),
    evidenced(
      'Items that checks looked at',
      `${sum(({ tested }) => tested)}, of which ${sum(({ counts }) => counts.exception)} exceptions and ${sum(({ counts }) => counts['no evidence'])} without evidence`,
    ),
  ];
}

export function toCheckSection(collected: Collected, state: LogState): Section {
  const log = toLogOutcome(collected, state);
  const found = [...collected.checks.values()];
  const toItems = ({ check: { about, population } }: CheckResult): string => (about === population ? about : `${about} (${population})`);
  const idle = found.filter(({ tested }) => tested === 0);
  const heads = [column('Check', 'id'), column('What is asked of each item'), column('Of which items (population)')];
  return {
    id: 'checks',
    title: 'Checks',
    blocks: [
      {
        kind: 'table',
        title: 'Checks that had items in this period',
        columns: [
          ...[...heads, column('Result', 'conclusion'), column('Tested', 'number'), column('Exceptions', 'number')],
          column('No evidence', 'number'),
        ],
        rows: [
          ...found
            .filter(({ tested }) => tested > 0)
            .map((one) => [
              ...[one.check.id, one.check.attribute, toItems(one), one.conclusion],
              ...[one.tested, one.counts.exception, one.counts['no evidence']],
            ]),
          [log.id, 'every entry is what was signed', 'entries (log)', log.conclusion, log.tested, log.exceptions, 0],
        ],
      },
      ...(idle.length === 0
        ? []
        : [
            {
              kind: 'table' as const,
              title: 'Checks that had no item in this period: no evidence',
              columns: heads,
              rows: idle.map((one) => [one.check.id, one.check.attribute, toItems(one)]),
            },
          ]),
    ],
  };
}

export function toExceptionSection({ checks }: Collected): Section {
  const found = [...checks.values()];
  const shown = found.flatMap(({ deviations }) => deviations);
  const total = found.reduce((sum, { counts }) => sum + counts.exception + counts['no evidence'], 0);
  const blocks: readonly Block[] =
    total === 0 ? [text('No item of a check was an exception or without evidence.')] : [toDeviationTable(shown, total)];
  return { id: 'exceptions', title: 'Exceptions and items without evidence', blocks };
}

function toDeviationTable(shown: readonly Deviation[], total: number): Table {
  return {
    kind: 'table',
    columns: [
      column('Check', 'id'),
      column('Population', 'id'),
      column('Result', 'conclusion'),
      column('When', 'time'),
      column('Entries', 'id'),
      column('Cause', 'id'),
      column('Agreed to by', 'id'),
    ],
    rows: shown.map(({ check, population, conclusion, item, said }) => [
      ...[check, population, conclusion, item.at, toEntryRanges(item.entries)],
      ...[said.cause ?? 'not said', said.approvedBy ?? 'not said'],
    ]),
    ...toRest(shown.length, total, 'exceptions.csv of the package'),
  };
}

export const toRest = (shown: number, total: number, rest: string): Pick<Table, 'total' | 'rest'> => (total > shown ? { total, rest } : {});

export function toPopulationSection({ populations, range }: Collected): Section {
  const all = [...populations.values()];
  const idle = all.flatMap(({ population: { name, title }, rows }) => (rows === 0 ? [`${title} (${name})`] : []));
  return {
    id: 'populations',
    title: 'Populations',
    blocks: [
      text(
        `Each population is everything of its kind that the log tells of within the period${range ? `, entries ${range.first} to ${range.last}` : ''}; its items stand in the package, one file each.`,
      ),
      {
        kind: 'table',
        columns: [column('Population', 'id'), column('What it is'), column('Items', 'number'), column('What was read')],
        rows: all.filter(({ rows }) => rows > 0).map(({ population, rows }) => [population.name, population.title, rows, population.query]),
      },
      ...(idle.length === 0 ? [] : [text(`Looked for as well, and without an item in the period: ${idle.join(' · ')}.`)]),
    ],
  };
}

/** Entries of one log, one after the other, as a range: `2026/1 2026/3 2026/4` → `2026/1 2026/3–4`. */
export function toEntryRanges(entries: readonly string[]): string {
  const ranges: { log: string; first: number; last: number }[] = [];
  for (const entry of entries) {
    const at = entry.lastIndexOf('/');
    const [log, index] = [entry.slice(0, at), Number(entry.slice(at + 1))];
    const open = ranges.at(-1);
    if (open?.log === log && open.last + 1 === index) open.last = index;
    else ranges.push({ log, first: index, last: index });
  }
  return ranges.map(({ log, first, last }) => `${log}/${first}${last > first ? `–${last}` : ''}`).join(' ');
}

/** The first items of a population as a table, with some of its columns. */
export function toItemTable(
  { populations }: Collected,
  name: string,
  wanted: readonly (readonly [title: string, name: string, kind?: Column['kind']])[],
  title?: string,
): Table {
  const { population, first, rows } = populations.get(name)!;
  const places = wanted.map(([, of]) => population.columns.findIndex((one) => one.name === of));
  return {
    kind: 'table',
    title: title ?? population.title,
    columns: [column('When', 'time'), ...wanted.map(([title, , kind]) => column(title, kind)), column('Entries', 'id')],
    rows: first.map((item) => [item.at, ...places.map((place) => item.cells[place] ?? null), toEntryRanges(item.entries)]),
    ...toRest(Math.min(first.length, SHOWN), rows, `populations/${name}.csv of a package`),
  };
}
