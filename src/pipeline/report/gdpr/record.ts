// The record of processing activities, Art. 30(1) and (2): each activity with everything under it. What nothing says is unknown, never left out.
import { type Activity, type PlanFacts, isTagged, toTagWords } from '../activities.js';
import { isSpecial } from '../../tags.js';
import { column } from '../blocks.js';
import type { Collected } from '../collect.js';
import type { DeclaredOrganisation, DeclaredPipeline, InForce, ReportContext } from '../context.js';
import type { Field, Fields, Section, Table } from '../document.js';
import { declared, evidenced, text, unknown } from '../front.js';
import { toFieldValue, toStretches, toWhen } from '../in-force.js';
import { recipientKinds } from '../recipients.js';

const orUnknown = (label: string, value: string | null | undefined): Field =>
  value === null || value === undefined || value === '' ? unknown(label) : declared(label, value);

/** Documents lie elsewhere; of what they state the log says that they do. */
const orStated = (label: string, value: string | null | undefined, isStated: boolean | undefined): Field =>
  (value === undefined || value === null) && isStated === true
    ? { label: `${label} (a document states it; its text is not in the log)`, value: null, standing: 'unknown' }
    : orUnknown(label, value);

export function toControllerRecord(context: ReportContext, collected: Collected): Section {
  const { organisation } = context.declared;
  return {
    id: 'record-controller',
    title: 'Record of processing activities of a controller (Art. 30(1))',
    blocks: [
      ...(organisation.some(({ value }) => value.acts === 'processor')
        ? [text('The organisation says that it acts as a processor: what follows is what it does for its customers.')]
        : []),
      toPartyFields(organisation, 'controller'),
    ],
    sections: toActivitySections(context, collected),
  };
}

export function toProcessorRecord(context: ReportContext, { activities }: Collected): Section {
  const { organisation } = context.declared;
  const isProcessor = organisation.some(({ value }) => value.acts === 'processor');
  const customers = toCustomers(organisation).map((words) => declared('Controller on whose behalf (Art. 30(2)(a))', words));
  return {
    id: 'record-processor',
    title: 'Record of categories of processing of a processor (Art. 30(2))',
    blocks: [
      ...(isProcessor ? [] : [text('No document says that the organisation acts as a processor. The form is filled as far as it can be.')]),
      toPartyFields(organisation, 'processor'),
      { kind: 'fields', fields: customers.length > 0 ? customers : [unknown('Controllers on whose behalf (Art. 30(2)(a))')] },
    ],
    sections: activities.map((activity, i) => ({
      id: `record-processor-${i + 1}`,
      title: toTitle(activity),
      blocks: [
        {
          kind: 'fields',
          fields: [
            evidenced(
              'Categories of processing (Art. 30(2)(b))',
              'making, verifying and publishing a masked copy of a database; dropping it at its expiry',
            ),
            ...toTransferFields(context, activity, 'Art. 30(2)(c)'),
            ...toMeasureFields(activity, 'Art. 30(2)(d)'),
          ],
        },
      ],
    })),
  };
}

/** Each with when it was one, where it was not all the time. */
function toCustomers(organisation: readonly InForce<DeclaredOrganisation>[]): readonly string[] {
  const toWords = ({ acts, customers }: DeclaredOrganisation): readonly string[] =>
    acts === 'processor' ? customers.map(({ name, contact }) => `${name}, ${contact}`) : [];
  return [...new Set(organisation.flatMap(({ value }) => toWords(value)))].flatMap((words) =>
    toStretches(organisation, (value) => (toWords(value).includes(words) ? words : null))
      .filter(({ value }) => value !== null)
      .map((stretch) => `${words}${toWhen(stretch)}`),
  );
}

/** As what the organisation acted in that time; as the other it says nothing of itself. */
function toPartyFields(organisation: readonly InForce<DeclaredOrganisation>[], acts: DeclaredOrganisation['acts']): Fields {
  const said = (member: 'legalName' | 'contact' | 'representative' | 'dataProtectionOfficer'): string | null =>
    toFieldValue(organisation, (value) => (value.acts === acts ? value[member] : null));
  return {
    kind: 'fields',
    fields: [
      orUnknown('Name', said('legalName')),
      orUnknown('Contact', said('contact')),
      orUnknown('Representative in the Union', said('representative')),
      orUnknown('Data protection officer', said('dataProtectionOfficer')),
      ...(acts === 'controller' ? [orUnknown('Joint controllers', toFieldValue(organisation, toJointWords))] : []),
    ],
  };
}

const toJointWords = ({ acts, jointControllers = [] }: DeclaredOrganisation): string | null =>
  acts === 'controller' ? jointControllers.map(({ name, contact }) => `${name}, ${contact}`).join('; ') : null;

const toTitle = ({ pipeline, environment }: Activity): string => `${pipeline} in ${environment}`;

function toActivitySections(context: ReportContext, collected: Collected): readonly Section[] {
  const { activities } = collected;
  const said = context.declared;
  if (activities.length === 0)
    return [
      { id: 'record-controller-none', title: 'No activity', blocks: [text('No run was under way in the period, and no copy was there.')] },
    ];
  return activities.map((activity, i) => {
    const { plan } = activity;
    const versions = said.pipelines[activity.pipeline] ?? [];
    const pipeline = (say: (value: DeclaredPipeline) => string | null): string | undefined => toFieldValue(versions, say) ?? undefined;
    return {
      id: `record-controller-${i + 1}`,
      title: toTitle(activity),
      blocks: [
        {
          kind: 'fields',
          fields: [
            evidenced('Nature of the processing', 'a masked copy of a database is made, verified, published, and dropped at its expiry'),
            evidenced(
              'Runs in the period',
              activity.runs === 0
                ? '0; a copy that was published before the period was there in it'
                : `${activity.runs}, of which ${activity.published} published a version; ${activity.first} to ${activity.last}`,
            ),
            orStated(
              'Purpose (Art. 30(1)(b))',
              pipeline(({ purpose }) => purpose),
              plan?.states.purpose,
            ),
            orStated(
              'Legal basis (Art. 6)',
              pipeline(({ legalBasis }) => legalBasis),
              plan?.states.legalBasis,
            ),
            orStated(
              'Who answers for it',
              pipeline(({ owner }) => owner),
              plan?.states.owner,
            ),
            orStated(
              'Categories of people (Art. 30(1)(c))',
              pipeline(({ subjectCategories }) => subjectCategories.join(', ')),
              (plan?.subjectCategories ?? 0) > 0,
            ),
            ...toCategoryFields(plan),
            evidenced(
              'Categories of recipients (Art. 30(1)(d)), beside those below',
              `environment ${activity.environment}${plan?.targetClass ? `, of the class ${plan.targetClass}` : ''}`,
            ),
            ...toTransferFields(context, activity, 'Art. 30(1)(e)'),
            plan?.retentionDays === null || plan === null
              ? unknown('Time limit for erasure (Art. 30(1)(f))')
              : evidenced(
                  'Time limit for erasure (Art. 30(1)(f))',
                  `${plan.retentionDays} days after publication; whether it was kept to: Storage limitation`,
                ),
            ...toMeasureFields(activity, 'Art. 30(1)(g)'),
          ],
        },
        toRecipientTable(collected, activity),
      ],
    };
  });
}

function toCategoryFields(plan: PlanFacts | null): readonly Field[] {
  const label = 'Categories of personal data (Art. 30(1)(c))';
  if (!plan) return [unknown(label)];
  const personal = plan.columns.filter(isTagged);
  const special = personal.filter(({ tag }) => isSpecial(tag));
  return [
    evidenced(label, personal.length === 0 ? 'no column was tagged as holding any' : toTagWords(personal)),
    evidenced('By tags, with the number of columns', `${countBy(personal, ({ tag }) => tag)} (entry ${plan.entry})`),
    evidenced(
      'Special categories (Art. 9), by tags',
      special.length === 0 ? 'no column was tagged as one' : countBy(special, ({ tag }) => tag),
    ),
    // Pipelines have no member for it: what else they say is a legal basis of Art. 6.
    ...(special.length === 0 ? [] : [unknown('Condition of Art. 9(2) for the special categories')]),
  ];
}

/** Regions are what documents said and the gate was asked about, run by run. */
function toTransferFields({ declared: said }: ReportContext, { plan, pipeline, environment }: Activity, article: string): readonly Field[] {
  const region = (side: string, value: string | null | undefined): Field => {
    const label = `Region of the ${side} (${article})`;
    return plan && value ? evidenced(label, `${value} (entry ${plan.entry})`) : unknown(label);
  };
  const { sourceRegion, targetRegion } = plan ?? {};
  const safeguard = `Safeguards of a transfer to a third country (${article})`;
  const words =
    toFieldValue(said.environments?.[environment] ?? [], (one) => one.safeguard) ??
    toFieldValue(said.pipelines[pipeline] ?? [], (one) => one.safeguard ?? null);
  const isSame = sourceRegion !== null && sourceRegion !== undefined && sourceRegion === targetRegion;
  return [
    region('source', sourceRegion),
    region('target', targetRegion),
    words === null && isSame && plan?.states.safeguard !== true
      ? declared(safeguard, 'none: source and target are said to be in the same region')
      : orStated(safeguard, words, plan?.states.safeguard),
  ];
}

function toMeasureFields({ plan, environment, keyCheck }: Activity, article: string): readonly Field[] {
  const label = `Technical measures (${article}); column by column under Measures`;
  if (!plan) return [unknown(label)];
  const masked = plan.columns.filter(isTagged);
  const key = `version ${plan.keyVersion} of ${plan.keyEnvironment ?? environment}`;
  return [
    evidenced(label, `${countBy(masked, ({ transform }) => transform)} (entry ${plan.entry})`),
    evidenced('Columns that can be reversed with a token key', String(masked.filter(({ reversible }) => reversible).length)),
    plan.keyVersion === null
      ? unknown('Masking key')
      : evidenced('Masking key', keyCheck === null ? key : `${key}, known again by its check value ${keyCheck}`),
    ...(plan.tokenKeyVersion === null ? [] : [evidenced('Token key', `version ${plan.tokenKeyVersion}`)]),
  ];
}

/** Whoever had something of that environment's copies: of which pipeline is not told of all of them. */
function toRecipientTable({ recipients }: Collected, { environment }: Activity): Table {
  return {
    kind: 'table',
    title: `Recipients in ${environment} within the period (Art. 30(1)(d))`,
    columns: [
      ...[column('What'), column('Who', 'id'), column('How many', 'number'), column('First', 'time'), column('Last', 'time')],
      column('Last entry', 'id'),
    ],
    rows: recipients
      .filter((one) => one.environment === environment)
      .map(({ kind, who, count, first, last, entry }) => [recipientKinds[kind], who, count, first, last, entry]),
  };
}

/** What was done to each personal column, with which key. One section for both forms of the record. */
export function toMeasures({ activities }: Collected): Section {
  return {
    id: 'measures',
    title: 'Measures, column by column (Art. 30(1)(g), 30(2)(d), 32(1)(a))',
    blocks: [
      text(
        'Every column, and every path into one, that is tagged as holding something of a person. “Keep” is a column that goes through as it is, by an exception with a reason. Transforms that draw pseudonyms use a key of their own, derived under the name of the domain from the version that stands beside it.',
      ),
      ...activities.map(toMeasureTable),
    ],
  };
}

function toMeasureTable({ pipeline, environment, plan }: Activity): Table {
  return {
    kind: 'table',
    title: `${pipeline} in ${environment}${plan ? `, entry ${plan.entry}` : ': nothing was published'}`,
    columns: ['Table', 'Column', 'Tag', 'Transform', 'Equal for equal', 'Domain of the key', 'Key, version'].map((title) => column(title)),
    rows: (plan?.columns ?? [])
      .filter(isTagged)
      .map(({ table, column: name, path, tag, transform, scope, domain, reversible }) => [
        ...[table, path === null ? name : `${name} ${path}`, tag, transform, unkeyed.has(transform) ? 'n/a' : scope],
        ...(unkeyed.has(transform)
          ? ['none', 'none']
          : [domain, reversible ? `token ${plan?.tokenKeyVersion ?? 'unknown'}` : `masking ${plan?.keyVersion ?? 'unknown'}`]),
      ]),
  };
}

/** They give the same without any key. */
const unkeyed: ReadonlySet<string> = new Set(['keep', 'null', 'fixed', 'truncate', 'generalise']);

function countBy<T>(items: readonly T[], of: (item: T) => string): string {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(of(item), (counts.get(of(item)) ?? 0) + 1);
  const found = [...counts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, count]) => `${name} (${count})`);
  return found.join(', ') || 'none';
}
