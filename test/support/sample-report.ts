// A report as an auditor gets it: long ids, long tables, names from everywhere, gaps in what is known, and a section with nothing in it.
import type { Block, Chart, ReportDocument } from '../../src/pipeline/report/report.js';

const hex = (seed: number, length: number): string => {
  let [state, text] = [seed * 2654435761 + 1, ''];
  while (text.length < length) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += state.toString(16).padStart(8, '0');
  }
  return text.slice(0, length);
};
const day = (i: number): string => new Date(Date.UTC(2026, 6, 1) + i * 86_400_000).toISOString().slice(0, 10);

const runsByDay: Chart = {
  kind: 'chart',
  shape: 'stacked',
  title: 'Runs that published, and runs that did not, by day',
  unit: 'runs',
  labels: Array.from({ length: 92 }, (_, i) => day(i)),
  series: [
    { name: 'published', values: Array.from({ length: 92 }, (_, i) => (i > 40 && i < 46 ? null : 8 + ((i * 7) % 5))) },
    { name: 'failed', values: Array.from({ length: 92 }, (_, i) => (i > 40 && i < 46 ? null : i % 11 === 0 ? 2 : 0)) },
  ],
};
const coverage: Chart = {
  kind: 'chart',
  shape: 'bars',
  title: 'Columns covered by a transform, by tag',
  unit: 'columns',
  labels: [
    'pii.email',
    'pii.name.family',
    'pii.phone',
    'pci.pan',
    'special.health.diagnosis-code-of-a-very-long-catalogue',
    'secret.password',
  ],
  series: [{ name: 'columns', values: [41, 38, 22, 3, null, 0] }],
};
const measures: Chart = {
  kind: 'chart',
  shape: 'lines',
  title: 'Rows that can be singled out fall below the threshold in September',
  unit: '% of rows',
  labels: ['Jul 1', 'Jul 15', 'Aug 1', 'Aug 15', 'Sep 1', 'Sep 15', 'Sep 30'],
  series: [
    { name: 'shop-staging', values: [4.2, 3.9, null, null, 1.2, 0.8, 0.6] },
    { name: 'shop-demo', values: [2.5, 2.4, null, 2.0, 1.9, 1.9, 1.1] },
    { name: 'threshold', values: [2, 2, 2, 2, 2, 2, 2] },
  ],
};
const ages: Chart = {
  kind: 'chart',
  shape: 'bars',
  title: 'Two environments are older than their time limit',
  unit: 'days',
  labels: ['dev', 'qa', 'demo', 'load', 'uat'],
  series: [
    { name: 'age', values: [3, 12, 41, 30, 1] },
    { name: 'overdue', values: [0, 0, 11, 0, 0] },
  ],
};

const people = [
  'Zoë Ångström',
  'Γιώργος Παπαδόπουλος',
  'Наталья Щербакова',
  'Şükrü Öztürk',
  'Łukasz Żółć',
  'Nguyễn Thị Ánh',
  '王小明',
  '=HYPERLINK("http://x")',
];

const runTable: Block = {
  kind: 'table',
  title: 'Runs whose approval came from their author, or from nobody',
  columns: [
    { title: 'Run', kind: 'id' },
    { title: 'Started', kind: 'time' },
    { title: 'Pipeline', kind: 'text' },
    { title: 'Rows', kind: 'number' },
    { title: 'Plan', kind: 'id' },
    { title: 'Approved by', kind: 'text' },
    { title: 'Conclusion', kind: 'conclusion' },
  ],
  rows: Array.from({ length: 64 }, (_, i) => [
    `0k7z3m1q${hex(i + 1, 8)}`,
    new Date(Date.UTC(2026, 6, 1, 3, 15) + i * 86_400_000 * 1.4).toISOString(),
    i % 9 === 4 ? 'customer-and-order-history-for-the-regression-environment' : 'shop',
    i % 13 === 7 ? null : 10_000 + i * 7919,
    `sha256:${hex(i + 100, 64)}`,
    people[i % people.length] ?? null,
    i % 9 === 4 ? 'exception' : i % 13 === 7 ? 'no evidence' : 'pass',
  ]),
  total: 10_000,
  rest: 'The others stand in populations/runs.csv.',
};

export const sampleReport: ReportDocument = {
  report: 'gdpr',
  title: 'Evidence for the GDPR: workspace shop',
  subtitle: 'What Bauta did with personal data, read from its log alone. Not legal advice, and no statement of compliance.',
  period: { from: '2026-07-01T00:00:00Z', to: '2026-09-30T22:00:00Z', zone: 'Europe/Berlin' },
  running: 'checkpoint 10,482 · 9f31c2ab',
  front: [
    {
      kind: 'notice',
      tone: 'warning',
      text: 'No key outside the hands of the operator has signed the last checkpoint: whoever holds the log key could have rewritten this before 2026-09-30 23:59:58 +02:00.',
    },
    {
      kind: 'fields',
      fields: [
        { label: 'Workspace', value: 'shop', standing: 'evidenced', entries: [1] },
        {
          label: 'Controller',
          value: 'Exemplar Handelsgesellschaft mbH, Musterstraße 1, 10115 Berlin',
          standing: 'declared',
          entries: [12, 13, 14, 90],
        },
        { label: 'Data protection officer', value: null, standing: 'unknown' },
        { label: 'Bauta', value: '0.1.0, commit 4f2d9c61e07b', standing: 'evidenced', entries: [2] },
        { label: 'Policy', value: `revision 2026-09-12, sha256:${hex(7, 64)}`, standing: 'evidenced', entries: [10_011] },
        {
          label: 'Checkpoint',
          value: `log.example.test/shop, 10,482 entries, root ${hex(9, 64)}`,
          standing: 'evidenced',
          entries: [10_481],
        },
        { label: 'The log verifies', value: 'yes: every entry, and the checkpoints of the start and the end', standing: 'evidenced' },
        { label: 'Cosigned or anchored by', value: 'no key outside the hands of the operator', standing: 'evidenced' },
      ],
    },
    {
      kind: 'text',
      text: 'Runs that were made with the command line outside this service are not in the population.\n\nThe perspective is that of the team that uses the environment.',
    },
  ],
  sections: [
    {
      id: 'overview',
      title: 'Overview',
      blocks: [
        { kind: 'text', text: 'Each control names its checks, and each check the population that it looked at.' },
        {
          kind: 'table',
          columns: [
            { title: 'Article', kind: 'id' },
            { title: 'What it asks', kind: 'text' },
            { title: 'Checks', kind: 'number' },
            { title: 'Items', kind: 'number' },
            { title: 'Exceptions', kind: 'number' },
            { title: 'Conclusion', kind: 'conclusion' },
          ],
          rows: [
            ['5(1)(c)', 'Data are limited to what the purpose needs', 3, 10_000, 0, 'pass'],
            ['5(1)(e)', 'Copies end when their time is over', 2, 212, 2, 'exception'],
            ['17', 'Erasure reaches every copy', 1, 0, 0, 'no evidence'],
            ['25', 'What nobody has classified is not copied', 2, 10_000, 0, 'pass'],
            ['32(1)(d)', 'The effect of the measures is tested regularly', 4, 91, 5, 'exception'],
          ],
        },
        runsByDay,
      ],
    },
    {
      id: 'minimisation',
      title: 'Minimisation, Article 5(1)(c)',
      blocks: [coverage],
      sections: [
        { id: 'minimisation.runs', title: 'Runs', blocks: [runTable] },
        { id: 'minimisation.kept', title: 'Columns that are kept as they are', blocks: [{ kind: 'table', columns: [{ title: 'Column', kind: 'id' }, { title: 'Reason', kind: 'text' }], rows: [] }] }, // prettier-ignore
      ],
    },
    { id: 'retention', title: 'Retention, Article 5(1)(e)', blocks: [ages] },
    {
      id: 'effectiveness',
      title: 'Effectiveness over time, Article 32(1)(d)',
      blocks: [
        measures,
        {
          kind: 'fields',
          fields: [
            { label: 'Last test', value: '2026-09-30T03:15:00Z', standing: 'evidenced', entries: [10_400, 10_401, 10_402, 10_410] },
            { label: 'Next test is due', value: '2026-10-15', standing: 'declared' },
          ],
        },
      ],
    },
    { id: 'erasure', title: 'Erasure, Article 17', blocks: [] },
  ],
};

export { ages, coverage, measures, runsByDay };
