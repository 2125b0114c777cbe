// What attacks on each copy came to, over time: tests of effectiveness (Art. 32(1)(d)), and the risks of an impact assessment (Art. 35(7)(c)).
import { toItemTable } from './blocks.js';
import type { Collected } from './collect.js';
import type { Chart, Section } from './document.js';
import { text } from './front.js';

const series = [
  ['Linked to the source by an exact join', 'linked'],
  ['Guessed by frequency, beyond chance', 'guessed'],
  ['Alone in their quasi-identifiers', 'unique'],
  ['Persons alone over all tables', 'followed'],
] as const;

/** `of`: what asks for it. */
export function toPrivacy(collected: Collected, of = ''): Section {
  const { population, first } = collected.populations.get('privacy-measures')!;
  const at = (name: string): number => population.columns.findIndex((one) => one.name === name);
  const toPercent = (value: unknown): number | null => (typeof value === 'number' ? Math.round(value * 10_000) / 100 : null);
  const chart: Chart = {
    ...{ kind: 'chart', shape: 'lines', title: 'The worst table of each run: how many rows or persons an attack found', unit: '%' },
    labels: first.map((item) => item.at.slice(0, 16).replace('T', ' ')),
    series: series.map(([name, column]) => ({ name, values: first.map(({ cells }) => toPercent(cells[at(column)])) })),
  };
  return {
    id: 'privacy-measured',
    title: `Privacy, measured: singling out, linkability, inference${of}`,
    blocks: [
      text(
        'Each copy is attacked before it is published, from the view of somebody who has the source: by joining what came through, by the frequencies of values, by following a person over tables, and by digests that need no key. Of each measure the worst table counts, as a share of its rows from 0 to 1; k and l are counts. A dash is not known: there was no column of that kind, or it could not be measured, which “Not measured” says. These figures are of these attacks with this source. Pseudonymised data remains personal data, whatever they are.',
      ),
      ...(first.length > 1 ? [chart] : []),
      toItemTable(collected, 'privacy-measures', [
        ['Run', 'run', 'id'],
        ...(
          [
            ['Linked', 'linked'],
            ['Linked, all columns', 'linkedByAll'],
            ['Guessed', 'guessed'],
            ['Alone', 'unique'],
            ['Followed', 'followed'],
            ['Digests', 'dictionary'],
          ] as const
        ).map(([title, name]) => [title, name, 'number'] as const),
      ]),
      toItemTable(
        collected,
        'privacy-measures',
        [
          ...(['k', 'l', 't'] as const).map((name) => [name, name, 'number'] as const),
          ...[['Beyond limits', 'beyond'] as const, ['Not measured', 'unmeasured'] as const],
        ],
        'Of the same copies: groups, limits, and what was not measured',
      ),
    ],
  };
}
