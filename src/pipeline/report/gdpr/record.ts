// The record of processing activities, Art. 30(1) and (2): each activity with everything under it. What nothing says is unknown, never left out.
import type { Activity, PlanFacts } from '../activities.js';
import type { Collected } from '../collect.js';
import type { DeclaredOrganisation, DeclaredPipeline, InForce, ReportContext } from '../context.js';
import type { Field, Fields, Section } from '../document.js';
import { declared, evidenced, text, unknown } from '../front.js';
import { toFieldValue, toStretches, toWhen } from '../in-force.js';

const orUnknown = (label: string, value: string | null | undefined): Field =>
  value === null || value === undefined || value === '' ? unknown(label) : declared(label, value);

/** Documents lie elsewhere; of what they state the log says that they do. */
const orStated = (label: string, value: string | undefined, isStated: boolean | undefined): Field =>
  value === undefined && isStated === true
    ? { label: `${label} (a document states it; its text is not in the log)`, value: null, standing: 'unknown' }
    : orUnknown(label, value);

const isOfPerson = ({ tag, speaksOfPerson }: PlanFacts['columns'][number]): boolean =>
  speaksOfPerson || /^(pii|quasi|sensitive|special)\b/.test(tag);

export function toControllerRecord(context: ReportContext, { activities }: Collected): Section {
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
    sections: toActivitySections('controller', context, activities),
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
            ...toTransferFields(activity.plan, 'Art. 30(2)(c)'),
            ...toMeasureFields(activity.plan, 'Art. 30(2)(d)'),
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
    ],
  };
}

const toTitle = ({ pipeline, environment }: Activity): string => `${pipeline} in ${environment}`;

function toActivitySections(of: string, { declared: said }: ReportContext, activities: readonly Activity[]): readonly Section[] {
  if (activities.length === 0) return [{ id: `record-${of}-none`, title: 'No activity', blocks: [text('No run began in the period.')] }];
  return activities.map((activity, i) => {
    const { plan } = activity;
    const versions = said.pipelines[activity.pipeline] ?? [];
    const pipeline = (say: (value: DeclaredPipeline) => string | null): string | undefined => toFieldValue(versions, say) ?? undefined;
    return {
      id: `record-${of}-${i + 1}`,
      title: toTitle(activity),
      blocks: [
        {
          kind: 'fields',
          fields: [
            evidenced('Nature of the processing', 'a masked copy of a database is made, verified, published, and dropped at its expiry'),
            evidenced(
              'Runs in the period',
              `${activity.runs}, of which ${activity.published} published a version; ${activity.first} to ${activity.last}`,
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
              'Recipients (Art. 30(1)(d))',
              `environment ${activity.environment}${plan?.targetClass ? `, of the class ${plan.targetClass}` : ''}`,
            ),
            ...toTransferFields(plan, 'Art. 30(1)(e)'),
            plan?.retentionDays === null || plan === null
              ? unknown('Time limit for erasure (Art. 30(1)(f))')
              : evidenced(
                  'Time limit for erasure (Art. 30(1)(f))',
                  `${plan.retentionDays} days after publication; whether it was kept to: Storage limitation`,
                ),
            ...toMeasureFields(plan, 'Art. 30(1)(g)'),
          ],
        },
      ],
    };
  });
}

function toCategoryFields(plan: PlanFacts | null): readonly Field[] {
  const label = 'Categories of personal data (Art. 30(1)(c))';
  if (!plan) return [unknown(label)];
  const personal = plan.columns.filter(isOfPerson);
  const special = personal.filter(({ tag }) => tag.startsWith('special'));
  return [
    evidenced(label, `${countBy(personal, ({ tag }) => tag)} (entry ${plan.entry})`),
    evidenced(
      'Special categories (Art. 9), by tags',
      special.length === 0 ? 'no column was tagged as one' : countBy(special, ({ tag }) => tag),
    ),
  ];
}

function toTransferFields(plan: PlanFacts | null, article: string): readonly Field[] {
  const region = (side: string, value: string | null | undefined): Field => orUnknown(`Region of the ${side} (${article})`, value);
  const other = plan?.sourceRegion && plan.targetRegion && plan.sourceRegion !== plan.targetRegion;
  const safeguard = `Safeguards of a transfer to a third country (${article})`;
  return [
    region('source', plan?.sourceRegion),
    region('target', plan?.targetRegion),
    plan?.states.safeguard
      ? { label: `${safeguard}: a document states one; its text is not in the log`, value: null, standing: 'unknown' }
      : other
        ? unknown(safeguard)
        : plan?.sourceRegion && plan.targetRegion
          ? declared(safeguard, 'none: source and target are said to be in the same region')
          : unknown(safeguard),
  ];
}

function toMeasureFields(plan: PlanFacts | null, article: string): readonly Field[] {
  const label = `Technical measures (${article})`;
  if (!plan) return [unknown(label)];
  const masked = plan.columns.filter(isOfPerson);
  return [
    evidenced(label, `${countBy(masked, ({ transform }) => transform)} (entry ${plan.entry})`),
    evidenced('Columns that can be reversed with a token key', String(masked.filter(({ reversible }) => reversible).length)),
    plan.keyVersion === null ? unknown('Version of the key') : evidenced('Version of the key', String(plan.keyVersion)),
  ];
}

function countBy<T>(items: readonly T[], of: (item: T) => string): string {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(of(item), (counts.get(of(item)) ?? 0) + 1);
  const found = [...counts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, count]) => `${name} (${count})`);
  return found.join(', ') || 'none';
}
