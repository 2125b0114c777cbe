// The worksheet of a breach in one environment: what Art. 33(3) asks of a notification, as far as the log tells it, and blanks for what only people can say.
import { type PlanFacts, isTagged, toTagWords } from '../activities.js';
import { isSpecial } from '../../tags.js';
import { column, toItemTable } from '../blocks.js';
import type { ReportContext } from '../context.js';
import type { Block, Field, ReportDocument, Section, Table } from '../document.js';
import { toRunning } from '../framework-report.js';
import { declared, evidenced, notice, text, toFront, unknown } from '../front.js';
import { toColumnTables } from '../gdpr/columns.js';
import { toFieldValue } from '../in-force.js';
import { recipientKinds } from '../recipients.js';
import { type Awareness, type BreachFacts, toMostRows, toPersonalTables } from './read-breach.js';

/** Art. 33(1). */
const CLOCK_HOURS = 72;
const HOUR_MS = 3_600_000;

/** A pure function of what was read and declared. */
export function toBreachReport(context: ReportContext, facts: BreachFacts): ReportDocument {
  const { collected, environment, window } = facts;
  return {
    ...{ report: 'breach', title: 'Worksheet for a notification of a breach', period: window, running: toRunning(context.log) },
    subtitle: `environment ${environment}; Art. 33 of the General Data Protection Regulation, to be completed by whoever notifies`,
    front: toFront(context, collected),
    sections: [
      toClock(context, facts),
      toNature(facts),
      toConcerned(facts),
      toMaskingState(facts),
      toKeys(facts),
      toAccess(facts),
      toConsequences(facts),
      toMeasures(facts),
      toContact(context),
    ],
  };
}

function toClock(context: ReportContext, { awareness, asOf }: BreachFacts): Section {
  const acts = context.declared.organisation.at(-1)?.value.acts;
  const controller =
    'Art. 33(1): a controller tells the authority without undue delay and, where feasible, not later than 72 hours after having become aware. The hours run from when a named person recorded that; when something was detected stands beside it.';
  const processor =
    'Art. 33(2): a processor tells the controller without undue delay after becoming aware. The 72 hours are the controller’s, and run from when the controller is aware.';
  const said = acts === 'processor' ? [text(processor)] : acts === 'controller' ? [text(controller)] : [text(controller), text(processor)];
  const missing = notice(
    'warning',
    'Nobody has recorded that he became aware, and no clock runs: bauta breach aware --environment NAME --detected INSTANT.',
  );
  return {
    id: 'clock',
    title: 'Since when it is known',
    blocks: [
      ...said,
      ...(awareness.length === 0 ? [missing] : []),
      {
        kind: 'fields',
        fields: [
          ...(awareness.length === 0
            ? [unknown('Detected'), unknown('A named person became aware')]
            : toClockFields(awareness, asOf, acts)),
          acts === 'processor'
            ? unknown('When the controller was told')
            : unknown('When the authority was told, and why not within 72 hours'),
        ],
      },
    ],
  };
}

/** The first that was recorded counts; the others stand there too. */
function toClockFields(awareness: readonly Awareness[], asOf: string, acts: string | undefined): readonly Field[] {
  const [first] = awareness;
  const endsMs = Date.parse(first!.at) + CLOCK_HOURS * HOUR_MS;
  const leftHours = Math.floor((endsMs - Date.parse(asOf)) / HOUR_MS);
  const each = awareness.flatMap(({ at, detectedAt, actor, incident, entry }) => [
    detectedAt === null ? unknown('Detected') : declared('Detected, as that person says', detectedAt),
    evidenced(
      'A named person became aware',
      `${at}, by ${actor ?? 'whom nothing names'}${incident === null ? '' : `, incident ${incident}`} (entry ${entry})`,
    ),
  ]);
  if (acts === 'processor') return each;
  return [
    ...each,
    evidenced(`${CLOCK_HOURS} hours end`, new Date(endsMs).toISOString()),
    evidenced('As of what was read', `${asOf}: ${leftHours >= 0 ? `${leftHours} whole hours are left` : `${-leftHours} hours over`}`),
  ];
}

function toNature({ copies, clones, environment, asOf }: BreachFacts): Section {
  const table: Table = {
    kind: 'table',
    title: 'Versions that stood there in the window',
    columns: [
      ...[column('Pipeline'), column('Target'), column('Version', 'number'), column('Published', 'time'), column('Expires', 'time')],
      ...[column('Dropped', 'time'), column('Rows', 'number'), column('Entries', 'id')],
    ],
    rows: copies.map(({ pipeline, target, version, publishedAt, expiresAt, endedAt, rows, entries }) => [
      ...[pipeline, target, version, publishedAt, expiresAt, endedAt ?? `no entry up to ${asOf}`],
      ...[[...rows.values()].reduce((all, one) => all + one, 0), entries.join(' ')],
    ]),
  };
  return {
    id: 'nature',
    title: 'Nature of the breach, and what was there (Art. 33(3)(a))',
    blocks: [
      {
        kind: 'fields',
        fields: [
          unknown('What happened: confidentiality, integrity or availability; by whom; how'),
          evidenced('Environment', environment),
          evidenced('Clones of versions that were there in the window', String(clones)),
          ...toCategories(copies),
        ],
      },
      ...(copies.length === 0
        ? [
            notice(
              'warning',
              'No version stood in this environment in the window, as far as this log tells. Look for its name, and for other homes.',
            ),
          ]
        : []),
      table,
    ],
  };
}

/** What a version held nobody knows without its plan: then none of it is said to be absent. */
function toCategories(copies: BreachFacts['copies']): readonly Field[] {
  const [all, special] = ['Categories of personal data', 'Special categories (Art. 9), by tags'];
  const unplanned = copies.filter(({ plan }) => plan === null).length;
  if (unplanned === copies.length) return [unknown(all), unknown(special)];
  const personal = copies.flatMap(({ plan }) => plan?.columns.filter(isTagged) ?? []);
  const rest = unplanned === 0 ? '' : `; of ${unplanned} of ${copies.length} versions the plan is unknown`;
  const of = (label: string, words: string, none: string): Field =>
    words === '' && unplanned > 0 ? unknown(label) : evidenced(label, (words || none) + rest);
  return [
    of(all, toTagWords(personal), 'no column was tagged as holding any'),
    of(special, toTags(personal.filter(({ tag }) => isSpecial(tag))), 'no column was tagged as one'),
  ];
}

const toTags = (columns: PlanFacts['columns']): string => [...new Set(columns.map(({ tag }) => tag))].sort().join(', ');

function toConcerned({ copies }: BreachFacts): Section {
  const people = toMostRows(copies, (plan) => plan.people);
  const records = toMostRows(copies, toPersonalTables);
  const counted = (label: string, { rows, complete }: typeof people): Field =>
    rows === 0 ? unknown(label) : evidenced(label, `${complete ? '' : 'at least '}${rows}`);
  return {
    id: 'concerned',
    title: 'Approximate number of people and records (Art. 33(3)(a))',
    blocks: [
      {
        kind: 'fields',
        fields: [
          counted('People: rows of tables of people', people),
          counted('Records: rows of tables that speak of people', records),
          unknown('Categories of people'),
        ],
      },
      text(
        'Counted as they were loaded. Of a target with several versions in the window the largest counts, since they hold the same people at different times; targets are added up, and somebody who is in two of them counts twice. Tables of people are those whose rows pseudonyms follow; where no column does, their number is unknown.',
      ),
    ],
  };
}

function toMaskingState({ copies }: BreachFacts): Section {
  return {
    id: 'masking',
    title: 'What each column held',
    blocks: [
      text('By the plan that the copy was made by: pseudonyms, and what they let through. Pseudonymised data is personal data.'),
      ...copies.flatMap(({ pipeline, target, version, plan }): readonly Block[] => {
        const title = `${pipeline}, ${target} version ${version}`;
        return plan
          ? toColumnTables(`${title}, entry ${plan.entry}`, plan)
          : [text(`${title}: by which plan it was made is not in this log.`)];
      }),
    ],
  };
}

function toKeys({ copies, destroyed, environment, window, asOf }: BreachFacts): Section {
  const used = new Map<string, readonly [purpose: string, environment: string, version: number]>();
  for (const { plan } of copies) {
    if (!plan) continue;
    if (plan.keyVersion !== null) note('masking', plan.keyEnvironment ?? environment, plan.keyVersion);
    if (plan.tokenKeyVersion !== null && plan.columns.some(({ reversible }) => reversible))
      note('token', environment, plan.tokenKeyVersion);
  }
  function note(purpose: string, of: string, version: number): void {
    used.set(`${purpose} ${of} ${version}`, [purpose, of, version]);
  }
  const rows = [...used.values()].map(([purpose, of, version]) => {
    const end = destroyed.find((one) => one.purpose === purpose && one.environment === of && one.upTo >= version);
    const state = !end
      ? `not destroyed up to ${asOf}`
      : end.at < window.from
        ? `destroyed before the window (entry ${end.entry})`
        : `destroyed ${end.at} (entry ${end.entry})`;
    return [purpose, of, version, state];
  });
  return {
    id: 'keys',
    title: 'Were the keys there',
    blocks: [
      text(
        'Who has a masking key and a guess can see whether the guess is in the copy; who has a token key has the values behind tokens. A key that was destroyed before the window helps nobody. Who reached the provider of the keys beside Bauta is in that provider’s own log.',
      ),
      {
        kind: 'table',
        columns: [column('Purpose'), column('Of environment'), column('Version', 'number'), column('State', 'time')],
        rows,
      },
      { kind: 'fields', fields: [unknown('Whether whoever is meant reached a key')] },
    ],
  };
}

function toAccess(facts: BreachFacts): Section {
  const { recipients, archivesBefore, holders, reversals, environment, collected } = facts;
  const heads = [column('What'), column('Who', 'id'), column('How many', 'number'), column('First', 'time'), column('Last', 'time')];
  const toRows = (given: BreachFacts['recipients']): Table['rows'] =>
    given.map(({ kind, who, count, first, last, entry }) => [recipientKinds[kind], who, count, first, last, entry]);
  return {
    id: 'access',
    title: 'Who could reach it',
    blocks: [
      text(
        'People are random ids; whom they stand for is kept where it can be erased. Logins of the environment’s own servers, and what was done with a copy by somebody who had one, are in no entry.',
      ),
      {
        kind: 'table',
        title: `Roles of the service that reach ${environment}, within the window`,
        columns: [column('Who', 'id'), column('Roles'), column('Since', 'time'), column('Until'), column('Entry', 'id')],
        rows: holders.map(({ person, roles, since, until, entry }) => [
          person,
          roles.join(' '),
          since,
          until ?? 'beyond the window',
          entry,
        ]),
      },
      {
        kind: 'table',
        title: 'What was given out in the window',
        columns: [...heads, column('Last entry', 'id')],
        rows: toRows(recipients),
      },
      {
        kind: 'table',
        title: 'Archives that were handed out before, and may still be somewhere',
        columns: [...heads, column('Last entry', 'id')],
        rows: toRows(archivesBefore),
      },
      {
        kind: 'table',
        title: 'Values asked back for tokens',
        columns: [
          ...[column('When', 'time'), column('What'), column('Domain'), column('Purpose'), column('Values', 'number')],
          ...[column('By', 'id'), column('Entry', 'id')],
        ],
        rows: reversals.map(({ at, type, domain, purpose, count, actor, entry }) => [at, type, domain, purpose, count, actor, entry]),
      },
      toItemTable(collected, 'access', [
        ['What, of all environments', 'type'],
        ['By', 'actor', 'id'],
        ['Of', 'person', 'id'],
        ['Code', 'code'],
      ]),
    ],
  };
}

/** What follows from the plan, in words that people complete; nothing is decided here. */
function toConsequences({ copies, reversals }: BreachFacts): Section {
  const columns = copies.flatMap(({ plan }) => plan?.columns ?? []);
  const tagged = columns.filter(isTagged);
  const reversed = reversals.filter(({ type }) => type === 'tokens.exchanged').length;
  const points: readonly (readonly [holds: boolean, words: string])[] = [
    [
      tagged.some(({ reveals }) => reveals.includes('value')),
      'Values of some tagged columns stood there as they are in production: whoever read them knows them.',
    ],
    [
      tagged.some(({ reveals }) => reveals.length > 0 && !reveals.includes('value')),
      'Some pseudonyms let frequency, order, length or the like through: somebody who knows part of a person’s data may find that person’s rows by it.',
    ],
    [
      tagged.some(({ reversible }) => reversible),
      'Some columns held tokens: with the token key, or the right to exchange them, they are the values.',
    ],
    [reversed > 0, `Tokens were exchanged back ${reversed} times in the window: each that nobody was entitled to is itself a breach.`],
    [
      columns.some(({ tag, speaksOfPerson }) => tag === 'none' && speaksOfPerson),
      'Columns beside personal ones were kept as they are: together they may single somebody out.',
    ],
    [tagged.some(({ tag }) => isSpecial(tag)), 'Special categories of data were among the columns, masked as the tables above say.'],
  ];
  const found = points.filter(([holds]) => holds).map(([, words]) => text(words));
  return {
    id: 'consequences',
    title: 'Likely consequences (Art. 33(3)(c)): a beginning, to be completed',
    blocks: [
      ...(found.length > 0
        ? found
        : [
            text(
              'The plans of the versions above say nothing of which a consequence follows. That is no good sign where no plan is known.',
            ),
          ]),
      {
        kind: 'fields',
        fields: [
          unknown('Likely consequences, as somebody assesses them'),
          unknown('Whether the risk to people is likely to be high (Art. 34)'),
        ],
      },
    ],
  };
}

function toMeasures({ measures, asOf }: BreachFacts): Section {
  return {
    id: 'measures',
    title: 'Measures taken or proposed (Art. 33(3)(d))',
    blocks: [
      text(
        `What the log has from the beginning of the window up to ${asOf}. Keys and credentials that name no environment are among them.`,
      ),
      {
        kind: 'table',
        columns: [column('When', 'time'), column('What'), column('Of'), column('By', 'id'), column('Entry', 'id')],
        rows: measures.map(({ at, type, of, actor, entry }) => [at, type, of, actor, entry]),
      },
      { kind: 'fields', fields: [unknown('Other measures taken or proposed')] },
    ],
  };
}

function toContact({ declared: { organisation } }: ReportContext): Section {
  const field = (label: string, value: string | null): Field => (value === null ? unknown(label) : declared(label, value));
  return {
    id: 'contact',
    title: 'Who can be asked (Art. 33(3)(b))',
    blocks: [
      {
        kind: 'fields',
        fields: [
          field(
            'Organisation',
            toFieldValue(organisation, ({ legalName, acts }) => `${legalName}, ${acts}`),
          ),
          field(
            'Contact',
            toFieldValue(organisation, ({ contact }) => contact),
          ),
          field(
            'Data protection officer',
            toFieldValue(organisation, ({ dataProtectionOfficer }) => dataProtectionOfficer),
          ),
        ],
      },
    ],
  };
}
