// Parts that several reports have: controls with what speaks of them, exceptions, populations.
import type { CheckResult, Collected, Deviation } from './collect.js';
import { SHOWN } from './collect.js';
import type { LogState } from './context.js';
import type { Block, Column, Conclusion, Section, Table } from './document.js';
import type { Control, Framework } from './frameworks/frameworks.js';
import { text } from './front.js';

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
    ...[checks.reduce((sum, one) => sum + one.exceptions, 0), checks.map(({ id }) => id).join(', ') || 'none', control.beyond ?? ''],
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

export function toCheckSection(collected: Collected, state: LogState): Section {
  const log = toLogOutcome(collected, state);
  const rows = [...collected.checks.values()].map(({ check, conclusion, tested, counts }) => [
    ...[check.id, check.attribute, check.population, check.about, conclusion, tested],
    ...[counts.pass, counts.exception, counts['no evidence']],
  ]);
  return {
    id: 'checks',
    title: 'Checks',
    blocks: [
      {
        kind: 'table',
        columns: [
          ...[column('Check', 'id'), column('Attribute of each item'), column('Population', 'id'), column('Items that it is about')],
          ...[column('Result', 'conclusion'), column('Tested', 'number'), column('Pass', 'number'), column('Exceptions', 'number')],
          column('No evidence', 'number'),
        ],
        rows: [
          ...rows,
          [
            log.id,
            'every entry is what was signed',
            'log',
            'entries',
            log.conclusion,
            log.tested,
            log.tested - log.exceptions,
            log.exceptions,
            0,
          ],
        ],
      },
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
      ...[check, population, conclusion, item.at, item.entries.join(' ')],
      ...[said.cause ?? 'not said', said.approvedBy ?? 'not said'],
    ]),
    ...toRest(shown.length, total, 'exceptions.csv of the package'),
  };
}

export const toRest = (shown: number, total: number, rest: string): Pick<Table, 'total' | 'rest'> => (total > shown ? { total, rest } : {});

export function toPopulationSection({ populations, range }: Collected): Section {
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
        rows: [...populations.values()].map(({ population, rows }) => [population.name, population.title, rows, population.query]),
      },
    ],
  };
}

/** The first items of a population as a table, with some of its columns. */
export function toItemTable(
  { populations }: Collected,
  name: string,
  wanted: readonly (readonly [title: string, name: string, kind?: Column['kind']])[],
): Table {
  const { population, first, rows } = populations.get(name)!;
  const places = wanted.map(([, of]) => population.columns.findIndex((one) => one.name === of));
  return {
    kind: 'table',
    title: population.title,
    columns: [column('When', 'time'), ...wanted.map(([title, , kind]) => column(title, kind)), column('Entries', 'id')],
    rows: first.map((item) => [item.at, ...places.map((place) => item.cells[place] ?? null), item.entries.join(' ')]),
    ...toRest(Math.min(first.length, SHOWN), rows, `populations/${name}.csv of a package`),
  };
}
