// Page 1: what this is about, what it rests on, and what it cannot know.
import type { Collected } from './collect.js';
import type { ReportContext } from './context.js';
import type { Field, Fields, Notice, ReportDocument, Text } from './document.js';

const states = {
  whole: 'whole: every entry is what was signed with the log’s key',
  broken: 'BROKEN',
  'signer-unknown': 'consistent in itself, signer not checked: no key was given',
} as const;

export const evidenced = (label: string, value: string): Field => ({ label, value, standing: 'evidenced' });
export const declared = (label: string, value: string): Field => ({ label, value, standing: 'declared' });
export const unknown = (label: string): Field => ({ label, value: null, standing: 'unknown' });
export const text = (words: string): Text => ({ kind: 'text', text: words });
export const notice = (tone: Notice['tone'], words: string): Notice => ({ kind: 'notice', tone, text: words });

/** `found`: what a report found, in short. */
export function toFront(
  { log, product, workspace }: ReportContext,
  collected: Collected,
  found: readonly Field[] = [],
): ReportDocument['front'] {
  const { period, range, policies } = collected;
  const { checkpoint } = log;
  const revisions = policies.map(({ of, revision, digest }) => `${revision} (${of}, ${digest})`);
  const fields: Fields = {
    kind: 'fields',
    fields: [
      ...found,
      evidenced('Period', `${period.from} up to ${period.to}; times are shown in ${period.zone}`),
      evidenced('Workspace', workspace),
      declared('Made by', `Bauta ${product.version}`),
      product.commit === null ? unknown('Commit') : declared('Commit', product.commit),
      revisions.length === 0 ? unknown('Policy revisions that decided') : evidenced('Policy revisions that decided', revisions.join('; ')),
      evidenced('Log', checkpoint.origin),
      evidenced('Checkpoint', `${checkpoint.size} entries, root ${checkpoint.root}`),
      evidenced('Entries of the period', range ? `${collected.entriesOfPeriod}: ${range.first} to ${range.last}` : '0'),
      ...(collected.oldest === null ? [] : [evidenced('Oldest entry that was read', collected.oldest)]),
      collected.asOf === '' ? unknown('Read up to') : evidenced('Read up to', collected.asOf),
      evidenced('Does the log verify', states[log.state]),
      evidenced('Keys outside the operator’s hands whose cosignatures of this checkpoint were checked', toCosigned(log)),
      ...toAnchored(log),
    ],
  };
  return [...toLogWarnings(log, collected.asOf), fields, ...toLimits()];
}

/** Which log a document rests on, and whether it verifies. */
export const toLogFields = ({ log, product }: Pick<ReportContext, 'log' | 'product'>): readonly Field[] => [
  declared('Made by', `Bauta ${product.version}`),
  evidenced('Log', log.checkpoint.origin),
  evidenced('Checkpoint', `${log.checkpoint.size} entries, root ${log.checkpoint.root}`),
  evidenced('Does the log verify', states[log.state]),
  evidenced('Keys outside the operator’s hands whose cosignatures of this checkpoint were checked', toCosigned(log)),
  ...toAnchored(log),
];

const toCosigned = ({ cosigned }: ReportContext['log']): string =>
  [String(cosigned.length), ...cosigned.map(({ name, at }) => `${name} at ${at}`)].join(cosigned.length === 0 ? '' : ' · ');

/** An anchor where the operator can delete is none of an outside key: where it lies is said, and what it is worth is for whoever looks there. */
const toAnchored = ({ anchored }: ReportContext['log']): readonly Field[] =>
  anchored.length === 0
    ? []
    : [
        declared(
          'Checkpoints that cover this were put, as its operator says, at (look there: nothing else was checked)',
          anchored
            .map(({ place, at, lockedUntil }) => `${place} at ${at}${lockedUntil === null ? '' : `, locked until ${lockedUntil}`}`)
            .join(' · '),
        ),
      ];

export function toLogWarnings(log: ReportContext['log'], asOf: string): readonly Notice[] {
  const broken = log.state === 'broken';
  return [
    ...(broken
      ? [notice('broken', `The log is broken, and nothing below can be relied on. ${log.findings.slice(0, 20).join(' · ')}`)]
      : []),
    ...(log.state === 'signer-unknown'
      ? [notice('warning', 'Nobody knows who signed this log: the report was made without its key.')]
      : []),
    ...(log.cosigned.length === 0
      ? [notice('warning', `Whoever holds the log key could have rewritten this before ${asOf === '' ? 'it was read' : asOf}.`)]
      : []),
  ];
}

const toLimits = (): readonly (Notice | Text)[] => [
  text(
    'Scope: what one workspace’s log tells of one period, seen from who operates Bauta. It tells what was done by this service or home, and nothing of what other tools did. Evidenced: an entry of the log says so. Declared: a document or a person says so. Unknown: neither does; in a table a dash. Of a control without evidence it says “no evidence”, and that is no good sign.',
  ),
  notice('note', 'Runs made with the command line outside this service, in other homes, are not in the population.'),
  notice(
    'note',
    'Copies hold pseudonymised data, which is personal data for whoever can attribute it. People and texts stand here as random ids and commitments; who and what they are is kept where it can be erased.',
  ),
];
