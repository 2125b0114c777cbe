// The report for a data protection officer: the record of processing with everything under it, and what the log shows for each article.
import { column, toItemTable } from '../blocks.js';
import { toAges, toAxis } from '../charts.js';
import { GRACE_HOURS } from '../checks.js';
import type { Collected } from '../collect.js';
import type { ReportContext } from '../context.js';
import type { Chart, ReportDocument, Section } from '../document.js';
import { toFrameworkReport } from '../framework-report.js';
import { text } from '../front.js';
import { toActivitySection, toPolicies } from '../soc2-report.js';
import { toDpiaAnnex, toMinimisation } from './columns.js';
import { toPrivacy } from '../privacy.js';
import { toControllerRecord, toMeasures, toProcessorRecord } from './record.js';

export function toGdprReport(context: ReportContext, collected: Collected): ReportDocument {
  return toFrameworkReport('gdpr', context, collected, [
    toControllerRecord(context, collected),
    toProcessorRecord(context, collected),
    toMeasures(collected),
    toMinimisation(collected),
    toRetention(collected),
    toErasure(collected),
    toTests(collected),
    toPrivacy(collected, ' (Art. 32(1)(d), Art. 35(7)(c))'),
    toBreachPack(collected),
    toDpiaAnnex(collected),
    toActivitySection(collected),
    toPolicies(collected),
  ]);
}

function toRetention(collected: Collected): Section {
  const { population } = collected.populations.get('versions')!;
  const at = (name: string): number => population.columns.findIndex((one) => one.name === name);
  const { deviations, counts } = collected.checks.get('versions-end')!;
  const overdue = deviations.map(({ item }) => item).filter(({ cells }) => cells[at('endedAt')] === null);
  const asked = ['environment', 'pipeline', 'target', 'version', 'expiresAt', 'overdueHours'];
  return {
    id: 'retention',
    title: 'Storage limitation (Art. 5(1)(e)): what was there, and until when',
    blocks: [
      text(
        `Overdue is what nothing says was dropped more than ${GRACE_HOURS} hours after its expiry, as of ${collected.asOf === '' ? 'the end of the log' : collected.asOf}; of that there is ${overdue.length === 0 ? 'none' : `${overdue.length}, see below`}. Versions that were dropped too late or are overdue: ${counts.exception}.`,
      ),
      ...(overdue.length === 0
        ? []
        : [
            {
              kind: 'table' as const,
              title: 'Overdue',
              columns: [
                ...[column('Environment'), column('Pipeline'), column('Target'), column('Version', 'number'), column('Expired', 'time')],
                ...[column('Hours overdue', 'number'), column('Entries', 'id')],
              ],
              rows: overdue.map(({ cells, entries }) => [...asked.map((name) => cells[at(name)] ?? null), entries.join(' ')]),
            },
          ]),
      ...[toAges(collected)].filter((block) => block !== null),
      toItemTable(collected, 'versions', [
        ...([
          ['Environment', 'environment'],
          ['Target', 'target'],
          ['Version', 'version', 'number'],
          ['Expires', 'expiresAt', 'time'],
        ] as const),
        ...([
          ['Ended', 'endedAt', 'time'],
          ['Why', 'why'],
          ['Seen gone', 'seenGone'],
          ['Hours overdue', 'overdueHours', 'number'],
        ] as const),
      ]),
      toItemTable(collected, 'clones', [
        ...([
          ['Environment', 'environment'],
          ['Clone', 'clone', 'id'],
          ['Expires', 'expiresAt', 'time'],
        ] as const),
        ...([
          ['Ended', 'endedAt', 'time'],
          ['Hours overdue', 'overdueHours', 'number'],
        ] as const),
      ]),
    ],
  };
}

function toErasure(collected: Collected): Section {
  return {
    id: 'erasure',
    title: 'Erasure (Art. 17)',
    blocks: [
      text(
        'The log knows a request by a random id, never by whom it is about: which copies hold a given person is asked of the copies, by whoever may know who it is, and is not in this report. Here stands what was asked for and what was done. Not reached by a drop: archives that somebody pulled, and replicas, backups and write-ahead archives of the target’s server, of which each drop says what is evidenced, declared or unknown.',
      ),
      toItemTable(collected, 'erasure-requests', [
        ...([
          ['Request', 'erasure', 'id'],
          ['Target', 'target'],
          ['Environment', 'environment'],
          ['Completed', 'completedAt', 'time'],
        ] as const),
        ['Days', 'days', 'number'],
      ]),
      toItemTable(collected, 'erasures', [
        ['What', 'type'],
        ['Target', 'target'],
        ['Of', 'of', 'id'],
        ['By', 'actor', 'id'],
      ]),
      toItemTable(collected, 'holds', [
        ['What', 'type'],
        ['Target', 'target'],
        ['Version', 'version', 'number'],
        ['Until', 'until', 'time'],
      ]),
    ],
  };
}

function toTests(collected: Collected): Section {
  const { testedDays } = collected;
  const byDay = new Map(testedDays.map((one) => [one.day, one]));
  const labels = toAxis(collected, [...byDay.keys()]);
  const toValues = (name: 'zero' | 'rate' | 'notTestable' | 'exceptions'): readonly number[] =>
    labels.map((day) => byDay.get(day)?.[name] ?? 0);
  const chart: Chart = {
    ...{
      kind: 'chart',
      shape: 'stacked',
      title: 'Personal columns in copies that were verified, by day (UTC) and by what came of it',
      unit: 'columns',
    },
    labels,
    series: [
      { name: 'each original looked for, none found', values: toValues('zero') },
      { name: 'compared row by row', values: toValues('rate') },
      { name: 'not known: nothing could be tested', values: toValues('notTestable') },
      { name: 'exceptions: originals found', values: toValues('exceptions') },
    ],
  };
  return {
    id: 'effectiveness-tests',
    title: 'Tests of effectiveness over time (Art. 32(1)(d))',
    blocks: [
      text(
        'Each copy is read again before it is published, beside what makes it, and held against the originals. “Zero” are columns where no original may stand and each was looked for; “rate” are compared row by row against what chance gives; “not testable” had nothing that could be tested.',
      ),
      testedDays.length === 0 ? text('No copy was verified in the period.') : chart,
      toItemTable(collected, 'effectiveness-tests', [
        ...([
          ['Run', 'run', 'id'],
          ['Columns', 'columns', 'number'],
          ['Zero', 'zero', 'number'],
          ['Rate', 'rate', 'number'],
        ] as const),
        ...([
          ['Not testable', 'notTestable', 'number'],
          ['Originals found', 'originals', 'number'],
        ] as const),
      ]),
    ],
  };
}

/** What a notification needs of the log; who became aware and when is said by people. */
function toBreachPack(collected: Collected): Section {
  return {
    id: 'breach-pack',
    title: 'For a notification of a breach (Art. 33)',
    blocks: [
      {
        kind: 'fields',
        fields: [
          { label: 'When the authority, or for a processor the controller, was told', value: null, standing: 'unknown' },
          {
            label: 'Records loaded into copies in the period',
            value: String(collected.activities.reduce((sum, { rows }) => sum + rows, 0)),
            standing: 'evidenced',
          },
        ],
      },
      text(
        'The worksheet of one breach, with what stood in an environment in a window, is a report of its own (bauta report breach). Below are those that somebody became aware of in the period, reversals of tokens, and changes and refusals of access. A reversal that nobody was entitled to is itself a breach.',
      ),
      toItemTable(collected, 'breaches', [
        ['Environment', 'environment'],
        ['Detected', 'detectedAt', 'time'],
        ['Incident', 'incident', 'id'],
        ['Aware', 'actor', 'id'],
      ]),
      toItemTable(collected, 'token-exchanges', [
        ...([
          ['What', 'type'],
          ['Action', 'action'],
          ['Environment', 'environment'],
          ['Domain', 'domain'],
          ['Purpose', 'purpose'],
        ] as const),
        ...([
          ['Values', 'count', 'number'],
          ['By', 'actor', 'id'],
        ] as const),
      ]),
      toItemTable(collected, 'access', [
        ['What', 'type'],
        ['By', 'actor', 'id'],
        ['Of', 'person', 'id'],
        ['Code', 'code'],
      ]),
      toItemTable(collected, 'drift', [
        ['What', 'type'],
        ['Environment', 'environment'],
        ['Target', 'target'],
        ['Changed', 'changed'],
      ]),
    ],
  };
}
