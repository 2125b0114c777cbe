// What a SOC 2 examiner reads first: what was to happen and what did, policies in force, changes and who agreed.
import { column, toItemTable } from './blocks.js';
import { toAges, toAxis, toCoverageChart } from './charts.js';
import type { Collected } from './collect.js';
import type { ReportContext } from './context.js';
import type { Chart, ReportDocument, Section } from './document.js';
import { toFrameworkReport } from './framework-report.js';
import { text } from './front.js';
import { toPrivacy } from './privacy.js';

export function toSoc2Report(context: ReportContext, collected: Collected): ReportDocument {
  return toFrameworkReport('soc2', context, collected, [
    toActivitySection(collected),
    toCopies(collected),
    toOccurrences(collected),
    toPolicies(collected),
    toPrivacy(collected),
    {
      id: 'changes',
      title: 'Changes, approvals and waivers',
      blocks: [
        toItemTable(collected, 'changes', [
          ['By', 'actor', 'id'],
          ['Documents', 'documents'],
          ['Approval', 'approval', 'id'],
        ]),
        toItemTable(collected, 'approvals', [
          ['Of', 'kind'],
          ['Asked by', 'askedBy', 'id'],
          ['State', 'state'],
          ['Decided by', 'decidedBy', 'id'],
        ]),
        toItemTable(collected, 'waivers', [
          ['What', 'type'],
          ['Rule', 'rule'],
          ['Until', 'until', 'time'],
          ['Approval', 'approval', 'id'],
        ]),
      ],
    },
  ]);
}

export function toActivitySection(collected: Collected): Section {
  const { days } = collected;
  const labels = toAxis(collected, [...days.keys()]);
  const chart: Chart = {
    ...{
      kind: 'chart',
      shape: 'bars',
      title: 'Runs and exceptions, by the day on which they began (UTC); those of before the period together',
      unit: 'items',
      labels,
    },
    series: [
      { name: 'runs', values: labels.map((day) => days.get(day)?.runs ?? 0) },
      { name: 'exceptions', values: labels.map((day) => days.get(day)?.exceptions ?? 0) },
    ],
  };
  const empty = text('No run was under way in the period, and no item was an exception.');
  return { id: 'activity', title: 'Runs over time', blocks: labels.length === 0 ? [empty] : [chart] };
}

function toCopies(collected: Collected): Section {
  const found = [toCoverageChart(collected), toAges(collected)].filter((block) => block !== null);
  const none = text('No plan was published, and no version stands anywhere.');
  return { id: 'copies', title: 'What copies hold, and how old they are', blocks: found.length === 0 ? [none] : found };
}

function toOccurrences(collected: Collected): Section {
  return {
    id: 'expected-occurrences',
    title: 'What was to happen, and what did',
    blocks: [
      text(
        'Instants at which schedules were due: as the service told them when they came, and as they follow from each schedule’s cron and zone while it stood in force. One that follows and of which no entry tells is “untold”: nobody was there. Schedules whose documents were applied by a version that did not tell this are known by what came due only. Reports of days are due when the service tells that they are.',
      ),
      toItemTable(collected, 'occurrences', [
        ...([
          ['What', 'what'],
          ['Schedule', 'schedule'],
          ['Due', 'due', 'time'],
        ] as const),
        ...([
          ['Expected', 'expected', 'number'],
          ['Took place', 'actual', 'number'],
          ['State', 'state'],
        ] as const),
      ]),
    ],
  };
}

export function toPolicies({ policies }: Collected): Section {
  return {
    id: 'policies',
    title: 'Policies in force, by the decisions that they made',
    blocks: [
      {
        kind: 'table',
        columns: [
          ...[column('Of'), column('Revision', 'id'), column('Digest', 'id'), column('First decision', 'time')],
          ...[column('Last decision', 'time'), column('Decisions', 'number')],
        ],
        rows: policies.map(({ of, revision, digest, first, last, decisions }) => [of, revision, digest, first, last, decisions]),
      },
    ],
  };
}
