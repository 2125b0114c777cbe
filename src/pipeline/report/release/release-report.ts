// What a release was decided by, as a document: decisions and what became of them, the score over time, what lay beside, and the copies it met.
import { column } from '../blocks.js';
import type { Collected } from '../collect.js';
import type { ReportContext } from '../context.js';
import type { Block, Chart, Column, ReportDocument, Section, Table } from '../document.js';
import { toRunning } from '../framework-report.js';
import { notice, text, toFront } from '../front.js';
import type { Release, Told } from './release.js';

export function toReleaseReport(context: ReportContext, collected: Collected, release: Release): ReportDocument {
  return {
    report: 'release',
    title: `Release ${release.tag}`,
    subtitle: 'what gates decided about it, and by what; a score is over the checks that its gate lists',
    period: collected.period,
    running: toRunning(context.log),
    front: toFront(context, collected),
    sections: [toCommits(release), toDecisions(release), toScore(release), toCopies(release), toBeside(release)],
  };
}

function toCommits({ commits, tag }: Release): Section {
  const moved = commits.length > 1;
  return {
    id: 'commits',
    title: 'Commits',
    blocks: [
      ...(moved ? [notice('warning', `${tag} was ${commits.length} commits. All of them are below, each with its own decisions.`)] : []),
      table(
        [column('Commit', 'id'), column('Who says so'), column('How it is known', 'standing'), column('Entries', 'id')],
        commits.map(({ commit, entries }) => [
          ...[commit, entries.length > 0 ? 'a signed call of a gate' : 'whoever asked for this report'],
          ...[entries.length > 0 ? 'evidenced' : 'declared', entries.join(' ')],
        ]),
      ),
    ],
  };
}

function toDecisions({ decisions, flips, breakglasses }: Release): Section {
  const yes = (cell: unknown, words: readonly [string, string]): string =>
    cell === 'yes' ? words[0] : cell === 'no' ? words[1] : 'unknown';
  return {
    id: 'decisions',
    title: 'Decisions of gates',
    blocks: [
      ...(decisions.length === 0
        ? [text('No gate was asked about these commits within the period.')]
        : [
            table(
              [
                ...[column('When', 'time'), column('Gate'), column('Environment'), column('Service'), column('Decision')],
                ...[column('Binds'), column('Score', 'number'), column('Of', 'number'), column('Entry', 'id')],
              ],
              decisions.map(({ at, entry, cells }) => [
                ...[at, cells.gate, cells.environment, cells.service, yes(cells.allow, ['allow', 'deny'])],
                ...[yes(cells.enforced, ['yes', 'no']), cells.score, cells.threshold, entry],
              ]),
              'What was decided; “Of” is what the score has to reach',
            ),
            table(
              [column('When', 'time'), column('Commit', 'id'), column('Failed checks and reasons'), column('Waived evidence', 'id')],
              decisions.map(({ at, cells }) => [at, cells.commit, cells.codes || 'none', cells.waived || 'none']),
              'Why',
            ),
          ]),
      ...toTold('Taken back later', flips, ['Decision', 'Environment', 'Service', 'New reasons', 'Copy that was revoked']),
      ...toTold('Past the gate', breakglasses, ['Break-glass', 'Environment', 'Service', 'By', 'Agreed to by', 'What did not fit']),
    ],
  };
}

/** Of each environment and service a line of its own. */
function toScore({ decisions }: Release): Section {
  const scored = decisions.filter(({ cells }) => typeof cells.score === 'number');
  const lines = [...new Set(scored.map(({ cells }) => `${cells.service ?? ''} in ${cells.environment ?? ''}`))];
  const chart: Chart = {
    ...{
      kind: 'chart',
      shape: 'lines',
      title: 'Score, by decision',
      unit: 'of 100',
      labels: scored.map(({ at }) => at.slice(0, 16).replace('T', ' ')),
    },
    series: [
      ...lines.map((name) => ({
        name,
        values: scored.map(({ cells }) => (name === `${cells.service ?? ''} in ${cells.environment ?? ''}` ? Number(cells.score) : null)),
      })),
      { name: 'has to reach', values: scored.map(({ cells }) => (typeof cells.threshold === 'number' ? cells.threshold : null)) },
    ],
  };
  return { id: 'score', title: 'Score over time', blocks: scored.length === 0 ? [text('No decision has a score.')] : [chart] };
}

function toCopies({ decisions }: Release): Section {
  const rows = decisions.flatMap(({ at, cells, current }) =>
    current.map((one) => [
      ...[at, cells.environment, cells.service, one.target, one.version, one.run === cells.dataset ? 'yes' : 'no', one.publishedAt],
      ...[one.tookSeconds, one.waitedSeconds, one.run, one.entry],
    ]),
  );
  return {
    id: 'copies',
    title: 'Copies that were current where it went',
    blocks: [
      text(
        'Time to provision: from the start of the run that made the copy to its publication, in seconds, and since that run was asked for, where an entry says so. Asked with: whether the gate was asked with this very copy.',
      ),
      rows.length === 0
        ? text('No entry tells of a copy that was current there.')
        : table(
            [
              ...[column('Decision', 'time'), column('Environment'), column('Service'), column('Target'), column('Version', 'number')],
              ...[column('Asked with'), column('Published', 'time'), column('Seconds', 'number')],
              ...[column('Since asked', 'number'), column('Run', 'id'), column('Entry', 'id')],
            ],
            rows,
          ),
    ],
  };
}

function toBeside({ evidence, waivers }: Release): Section {
  const blocks = [
    ...toTold('Reports of scanners and tests about these commits', evidence, [
      'Evidence',
      'Format',
      'Missing',
      'Findings by severity',
      'By',
    ]),
    ...toTold('Waivers for these commits', waivers, ['Waiver', 'Rule', 'Until', 'Approval', 'By']),
  ];
  const none = text('No entry tells of evidence or a waiver of these commits; what is of an image or an environment is not counted here.');
  return { id: 'evidence', title: 'Evidence and waivers', blocks: blocks.length === 0 ? [none] : blocks };
}

function toTold(title: string, told: readonly Told[], names: readonly string[]): readonly Block[] {
  if (told.length === 0) return [];
  const columns = [column('When', 'time'), column('What happened'), ...names.map((name) => column(name)), column('Entry', 'id')];
  return [{ ...table(columns, told.map(({ at, type, cells, entry }) => [at, type, ...cells.map((cell) => cell ?? 'none'), entry])), title }]; // prettier-ignore
}

const table = (columns: readonly Column[], rows: Table['rows'], title?: string): Table => ({
  ...{ kind: 'table' as const, columns, rows },
  ...(title === undefined ? {} : { title }),
});
