// Where one person is, for a request under Art. 17: which copies hold them, what was done before, what could not be looked into and why. Nothing in it says
// who it is: tables, columns and counts.
import { column } from '../blocks.js';
import type { ReportContext } from '../context.js';
import type { Block, ReportDocument, Section } from '../document.js';
import { toRunning } from '../framework-report.js';
import { declared, evidenced, notice, text, toLogFields, toLogWarnings, unknown } from '../front.js';
import type { Reach } from '../../definition.js';
import type { Beyond } from '../../attestation.js';
import { type TracedColumn, isFound } from '../../trace-person.js';
import type { ReachFacts } from './read-reach.js';

/** What somebody who may know who it is saw in the copies. */
export interface PersonLooked {
  readonly pipeline: string;
  readonly lookedAt: string;
  /** How many identifiers the person was looked for by. */
  readonly identifiers: number;
  /** Per version and clone; null: nobody could look, and `why`, as a code. */
  readonly traced:
    | readonly {
        readonly version: number;
        readonly run: string;
        readonly of: 'current' | 'previous' | 'clone';
        readonly for: string | null;
        /** Null: nobody knows of this one. */
        readonly columns: readonly TracedColumn[] | null;
        readonly why: string | null;
      }[]
    | null;
  readonly why: string | null;
  /** Where data of a version may be that nobody here can look into, as documents declare it. */
  readonly beyond: Readonly<Record<Reach, Beyond>>;
  /** Pipelines that read the same source; null: only a service knows its other pipelines. */
  readonly others: readonly string[] | null;
}

export const isReached = ({ traced }: PersonLooked): boolean => traced !== null && traced.every(({ columns }) => columns !== null);

export function toReachReport(context: ReportContext, looked: PersonLooked, facts: ReachFacts, zone: string): ReportDocument {
  const { place } = facts;
  return {
    ...{ report: 'reach', title: 'Where a person is in masked copies', running: toRunning(context.log) },
    subtitle: `${place.target} in ${place.environment}; Art. 17 of the General Data Protection Regulation. It does not say who`,
    period: { from: facts.from === '' ? looked.lookedAt : facts.from, to: looked.lookedAt, zone },
    front: toFront(context, looked, facts),
    sections: [toFound(looked), toVersions(looked, facts), toNotReached(looked, facts), toDone(facts)],
  };
}

function toFront(context: ReportContext, looked: PersonLooked, facts: ReachFacts): ReportDocument['front'] {
  const { traced, lookedAt, identifiers, pipeline } = looked;
  const holding = (traced ?? []).filter(({ columns }) => (columns ?? []).some(isFound)).length;
  return [
    ...toLogWarnings(context.log, facts.asOf),
    ...(isReached(looked) ? [] : [notice('warning', 'Not every copy could be looked into: where it says unknown, the person may be.')]),
    {
      kind: 'fields',
      fields: [
        evidenced('Looked for at', lookedAt),
        evidenced('Pipeline and environment', `${pipeline}, ${facts.place.environment}`),
        evidenced('Identifiers', `${identifiers}; they are in the memory of who looked and in nothing that was written`),
        traced === null
          ? unknown('Copies with the person')
          : evidenced('Copies with the person', `${holding} of ${traced.length} versions and clones that were there`),
        ...toLogFields(context),
        evidenced('Entries read', `${facts.entriesRead}, up to ${facts.asOf}`),
      ],
    },
    text(
      'A person is found by pseudonym: by the transform, key and rule that each copy was made with, in columns where equal values have equal pseudonyms. A key is followed along foreign keys: the same number of a table of others says nothing of it. Rows that only another key leads to, free text, and columns whose pseudonyms differ row by row are not found by it; give the key of the person, not only an address. What was found was seen in the copies and is no entry of the log.',
    ),
  ];
}

const whose: Readonly<Record<TracedColumn['by'], string>> = {
  'foreign-key': 'found',
  value: 'found',
  unknown: 'unknown: the same key, and no foreign key says whose',
};

function toFound({ traced, why }: PersonLooked): Section {
  const rows = (traced ?? []).flatMap(({ of, version, for: purpose, run, columns, why: unknownWhy }) => {
    const head = [of === 'clone' ? `clone for ${purpose ?? 'nobody says what'}` : of, version, run];
    if (columns === null) return [[...head, null, null, null, `unknown: ${unknownWhy ?? 'nobody says why'}`]];
    const seen = columns.filter((one) => one.rows > 0);
    const none = seen.some(isFound) ? [] : [[...head, null, null, 0, `not found in ${columns.length} columns`]];
    return [...none, ...seen.map((one) => [...head, one.table, one.column, one.rows, whose[one.by]])];
  });
  const blocks: Block[] = [
    {
      kind: 'table',
      columns: [
        ...[column('Copy'), column('Version', 'number'), column('Run', 'id'), column('Table'), column('Column'), column('Rows', 'number')],
        column('What was seen'),
      ],
      rows,
    },
  ];
  const nobody = notice('warning', `Nobody could look into the copies: ${why ?? 'nobody says why'}. The person may be in each of them.`);
  return { id: 'found', title: 'In which copies the person is', blocks: traced === null ? [nobody] : blocks };
}

function toVersions({ traced }: PersonLooked, { versions, clonesDropped }: ReachFacts): Section {
  const there = new Set((traced ?? []).map(({ run }) => run));
  return {
    id: 'versions',
    title: 'Every version that was made, and what became of it',
    blocks: [
      {
        kind: 'table',
        columns: [
          ...[column('Version', 'number'), column('Run', 'id'), column('Published', 'time'), column('Dropped', 'time'), column('Why')],
          ...[column('Now'), column('Entries', 'id')],
        ],
        rows: versions.map(({ version, run, publishedAt, endedAt, why, seenGone, entries }) => [
          ...[version, run, publishedAt, endedAt ?? 'not dropped', why ?? (endedAt === null ? 'not dropped' : null)],
          ...[endedAt === null ? (there.has(run) ? 'there, looked into' : 'not seen there') : toGone(seenGone), entries.join(' ')],
        ]),
      },
      text(`Clones that were dropped: ${clonesDropped}. Those that are there stand above.`),
    ],
  };
}

const toGone = (seenGone: boolean | null): string =>
  seenGone === null ? 'dropped; nobody says that he looked again' : seenGone ? 'looked for again, and gone' : 'dropped, and still seen';

function toNotReached({ beyond, others }: PersonLooked, { elsewhere }: ReachFacts): Section {
  const words: Readonly<Record<(typeof elsewhere)[number]['kind'], string>> = {
    archive: 'sealed: it is opened by whoever has a key of the environment; it goes with its version',
    'archive handed out': 'with whoever asked for it: it opens until it expires, and what was made of it is not known',
    topic: 'records are masked and signed, and stay until the topic drops them; consumers are not known here',
    'server of an agent': 'an agent published there: what it tells is in the population of agents',
  };
  return {
    id: 'not-reached',
    title: 'What was not looked into, and why',
    blocks: [
      {
        kind: 'table',
        title: 'Of the log: what went elsewhere',
        columns: [
          ...[column('What'), column('Version', 'number'), column('Which', 'id'), column('Who', 'id'), column('When', 'time')],
          ...[column('Why it was not looked into'), column('Entry', 'id')],
        ],
        rows: elsewhere.map(({ kind, version, what, who, at, entry }) => [
          kind,
          version,
          what,
          who ?? 'nobody in person',
          at,
          words[kind],
          entry,
        ]),
      },
      {
        kind: 'fields',
        fields: [
          ...Object.entries(beyond).map(([reach, one]) => {
            if (one.says === 'unknown') return unknown(names[reach as Reach]);
            return one.says === 'declared'
              ? declared(names[reach as Reach], `${one.days} days after the drop, as a document says`)
              : evidenced(names[reach as Reach], one.what);
          }),
          others === null
            ? unknown('Other pipelines that read the same source')
            : evidenced('Other pipelines that read the same source, each to be asked by itself', others.join(', ') || 'none'),
        ],
      },
    ],
  };
}

const names: Readonly<Record<Reach, string>> = {
  backups: 'Backups of the target',
  walArchives: 'Write-ahead archives of the target',
  replicas: 'Replicas of the target',
  diskSnapshots: 'Snapshots of its disks',
  files: 'Files that somebody made of it',
  topics: 'Topics that somebody filled from it',
};

function toDone({ erasures }: ReachFacts): Section {
  return {
    id: 'done',
    title: 'What was done: erasures on this target, of whomever',
    blocks: [
      text(
        'The log knows each request by a random id and never whom it is about: that one of them was about this person is known to whoever made it. What was made before a request and is gone since cannot hold anybody.',
      ),
      {
        kind: 'table',
        columns: [
          ...[column('Request', 'id'), column('Asked for', 'time'), column('Completed', 'time'), column('Rows found then', 'number')],
          ...[column('Versions dropped', 'number'), column('Left', 'number'), column('Entries', 'id')],
        ],
        rows: erasures.map(({ erasure, requestedAt, completedAt, rowsFound, dropped, left, entries }) => [
          ...[erasure, requestedAt, completedAt ?? 'open', rowsFound, dropped, left, entries.join(' ')],
        ]),
      },
    ],
  };
}
