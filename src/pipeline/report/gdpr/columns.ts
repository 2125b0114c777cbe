// What was done to each column: in sums for minimisation, one by one for the annex of an impact assessment.
import { type Activity, type PlanFacts, type PlannedColumn, isTagged } from '../activities.js';
import { column, toItemTable } from '../blocks.js';
import { toCoverageChart } from '../charts.js';
import type { Collected } from '../collect.js';
import type { Block, Section, Table } from '../document.js';
import { text } from '../front.js';

export function toMinimisation(collected: Collected): Section {
  return {
    id: 'minimisation',
    title: 'Minimisation (Art. 5(1)(c)), run by run',
    blocks: [
      text(
        'How many rows a purpose needs is said by nobody here; what was read at the source and what was loaded is. Of columns the plan says what became of each: below, in sum, that of the last publication. A tagged column that nothing decides about stops a plan before a row is read.',
      ),
      toItemTable(collected, 'runs', [
        ...([
          ['Run', 'run', 'id'],
          ['Pipeline', 'pipeline'],
          ['Environment', 'environment'],
          ['State', 'state'],
          ['Tables', 'tables', 'number'],
        ] as const),
        ['Rows', 'rows', 'number'],
      ]),
      ...[toCoverageChart(collected)].filter((chart) => chart !== null),
      toTransformTable(collected.activities),
    ],
  };
}

function toTransformTable(activities: readonly Activity[]): Table {
  return {
    kind: 'table',
    title: 'What the last published plan did to columns, by what they are',
    columns: [
      column('Environment'),
      column('Pipeline'),
      column('Tag'),
      column('Transform'),
      column('Columns', 'number'),
      column('Entry', 'id'),
    ],
    rows: activities.flatMap(({ environment, pipeline, plan }) => {
      const counts = new Map<string, number>();
      for (const { tag, transform } of plan?.columns ?? []) {
        const key = JSON.stringify([tag, transform]);
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      return [...counts]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([key, count]) => [environment, pipeline, ...(JSON.parse(key) as string[]), count, plan?.entry ?? null]);
    }),
  };
}

export function toDpiaAnnex({ activities }: Collected): Section {
  return {
    id: 'dpia-annex',
    title: 'Annex for an impact assessment (Art. 35(7)): what each transform lets through',
    blocks: [
      text(
        'In full: every tagged column whose value still reveals something after it was masked. Then, in sum, tagged columns that reveal nothing, and columns that a document keeps as they are because they are said to hold nothing of a person. How likely somebody is to find a person again by what is let through stands under Privacy, measured.',
      ),
      ...activities.flatMap(({ pipeline, environment, plan }): readonly Block[] =>
        plan
          ? toColumnTables(`${pipeline} in ${environment}, entry ${plan.entry}`, plan)
          : [text(`${pipeline} in ${environment}: nothing was published.`)],
      ),
    ],
  };
}

/** What is let through column by column, and the rest in groups. */
export function toColumnTables(title: string, { columns }: PlanFacts): readonly Table[] {
  const tagged = columns.filter(isTagged);
  const showing = tagged.filter(({ reveals }) => reveals.length > 0);
  return [
    {
      kind: 'table',
      title: `${title}: tagged columns that let something through`,
      columns: ['Table', 'Column', 'Tag', 'Transform', 'Reveals', 'Reversible'].map((name) => column(name)),
      rows: showing.map(({ table, column: name, path, tag, transform, reveals, reversible }) => [
        ...[table, path === null ? name : `${name} ${path}`, tag, transform, toRevealed(transform, reveals), reversible ? 'yes' : 'no'],
      ]),
    },
    toGroupTable(
      `${title}: tagged columns that let nothing through`,
      ['Tag', 'Transform'],
      tagged.filter(({ reveals }) => reveals.length === 0),
      ({ tag, transform }) => [tag, transform],
    ),
    toGroupTable(
      `${title}: columns that are said to hold nothing of a person`,
      ['Transform', 'In tables that speak of people'],
      columns.filter(({ tag }) => tag === 'none'),
      ({ transform, speaksOfPerson }) => [transform, speaksOfPerson ? 'yes' : 'no'],
    ),
  ];
}

/** Whoever keeps a value keeps all that it reveals; a transform that is said to reveal `value` lets parts of it through: a time of day, a beginning, words. */
const toRevealed = (transform: string, reveals: readonly string[]): string =>
  transform === 'keep' ? 'the value itself' : reveals.map((one) => (one === 'value' ? 'parts of the value' : one)).join(', ');

function toGroupTable(
  title: string,
  heads: readonly string[],
  columns: readonly PlannedColumn[],
  of: (one: PlannedColumn) => readonly string[],
): Table {
  const groups = new Map<string, { count: number; readonly tables: Set<string> }>();
  for (const one of columns) {
    const key = JSON.stringify(of(one));
    const group = groups.get(key) ?? { count: 0, tables: new Set<string>() };
    groups.set(key, group);
    group.count += 1;
    group.tables.add(one.table);
  }
  return {
    kind: 'table',
    title,
    columns: [...heads.map((head) => column(head)), column('Columns', 'number'), column('Tables')],
    rows: [...groups]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, { count, tables }]) => [...(JSON.parse(key) as string[]), count, [...tables].sort().join(', ')]),
  };
}
