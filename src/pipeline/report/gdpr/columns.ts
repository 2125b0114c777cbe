// What was done to each column: in sums for minimisation, one by one for the annex of an impact assessment.
import type { Activity } from '../activities.js';
import { column, toItemTable } from '../blocks.js';
import type { Collected } from '../collect.js';
import type { Section, Table } from '../document.js';
import { text } from '../front.js';

export function toMinimisation(collected: Collected): Section {
  return {
    id: 'minimisation',
    title: 'Minimisation (Art. 5(1)(c)), run by run',
    blocks: [
      text(
        'How many rows a purpose needs is said by nobody here; what was read and what was loaded is. Rows of the source that a run read stand under the tests of effectiveness.',
      ),
      toItemTable(collected, 'runs', [
        ...([
          ['Run', 'run', 'id'],
          ['Pipeline', 'pipeline'],
          ['Environment', 'environment'],
          ['State', 'state'],
          ['Tables', 'tables', 'number'],
        ] as const),
        ...([
          ['Rows', 'rows', 'number'],
          ['Plan', 'planDigest', 'id'],
        ] as const),
      ]),
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
        'For each personal column what its value still reveals after it was masked. How likely somebody is to find a person again by that is measured elsewhere, and not in this report.',
      ),
      ...activities.map(toRevealTable),
    ],
  };
}

function toRevealTable({ pipeline, environment, plan }: Activity): Table {
  const personal = (plan?.columns ?? []).filter(({ speaksOfPerson, reveals }) => speaksOfPerson || reveals.length > 0);
  return {
    kind: 'table',
    title: `${pipeline} in ${environment}${plan ? `, entry ${plan.entry}` : ': nothing was published'}`,
    columns: [column('Table'), column('Column'), column('Tag'), column('Transform'), column('Reveals'), column('Reversible')],
    rows: personal.map(({ table, column: name, path, tag, transform, reveals, reversible }) => [
      ...[table, path === null ? name : `${name} ${path}`, tag, transform, reveals.join(', ') || 'nothing', reversible ? 'yes' : 'no'],
    ]),
  };
}
