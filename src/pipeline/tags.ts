// The tags that there are: a closed list. A tag says what a column holds; a rulebook says what becomes of it.
import type { Scope } from './definition.js';

/** First words of tags: by them targets, pools and regions take what they may have. `none` is a tag and no class. */
export const tagClasses = ['pii', 'pci', 'phi', 'special', 'sensitive', 'secret', 'quasi'] as const;
export type TagClass = (typeof tagClasses)[number] | 'none';

export interface Tag {
  readonly name: string;
  readonly class: TagClass;
  /** How far equality goes when neither rulebook nor override says it. */
  readonly scope: Scope;
  readonly doc: string;
}

// prettier-ignore
const list: readonly (readonly [string, Scope, string])[] = [
  ['none', 'value', 'says nothing of a person'],
  ['pii.email', 'value', 'e-mail address'],
  ['pii.first-name', 'subject', 'given name'],
  ['pii.last-name', 'subject', 'family name'],
  ['pii.full-name', 'subject', 'given and family name in one field'],
  ['pii.phone', 'value', 'telephone or mobile number'],
  ['pii.address', 'subject', 'a whole postal address in one field'],
  ['pii.address.street', 'subject', 'street, with or without house number'],
  ['pii.address.house-number', 'subject', 'house number'],
  ['pii.address.city', 'subject', 'town or city'],
  ['pii.address.postcode', 'subject', 'postal code'],
  ['pii.address.region', 'subject', 'state, province or county'],
  ['pii.address.country', 'subject', 'country, by name or code'],
  ['pii.company', 'subject', 'employer or company of a person'],
  ['pii.job-title', 'subject', 'occupation or position'],
  ['pii.username', 'value', 'login name or handle'],
  ['pii.date-of-birth', 'subject', 'date of birth'],
  ['pii.date', 'subject', 'a date in the life of a person'],
  ['pii.national-id', 'value', 'national identification, tax or social security number'],
  ['pii.document-id', 'value', 'number of a passport, licence or other document'],
  ['pii.iban', 'value', 'bank account number (IBAN)'],
  ['pii.bank-account', 'value', 'bank account number of another form'],
  ['pii.ip', 'value', 'IP address'],
  ['pii.mac', 'value', 'hardware address'],
  ['pii.url', 'value', 'address of a page or profile'],
  ['pii.uuid', 'value', 'UUID that stands for a person or device'],
  ['pii.key', 'value', 'key or number that stands for a person: customer number, user id'],
  ['pii.gender', 'subject', 'gender or sex'],
  ['pii.free-text', 'row', 'text that people wrote'],
  ['pii.user-agent', 'row', 'browser or device description'],
  ['pii.photo', 'row', 'picture of a person, or where one is kept'],
  ['pii.biometric', 'row', 'fingerprint, voice, face or the like'],
  ['pii.special', 'row', 'GDPR Art. 9: belief, origin, opinion, union, orientation'],
  ['pci.pan', 'value', 'payment card number'],
  ['pci.last-four', 'row', 'last four digits of a payment card number'],
  ['pci.cvv', 'row', 'card verification code'],
  ['pci.expiry', 'row', 'last month of a payment card'],
  ['pci.holder', 'subject', 'name on a payment card'],
  ['phi.mrn', 'value', 'medical record number'],
  ['phi.insurance-id', 'value', 'health insurance number'],
  ['phi.note', 'row', 'clinical note'],
  ['phi.diagnosis', 'row', 'diagnosis or its code'],
  ['phi.medication', 'row', 'medication or treatment'],
  ['phi.measurement', 'row', 'laboratory or vital measurement'],
  ['phi.date', 'subject', 'date of admission, treatment or death'],
  ['special.origin', 'row', 'GDPR Art. 9: racial or ethnic origin'],
  ['special.politics', 'row', 'GDPR Art. 9: political opinion'],
  ['special.belief', 'row', 'GDPR Art. 9: religious or philosophical belief'],
  ['special.union', 'row', 'GDPR Art. 9: membership of a trade union'],
  ['special.genetic', 'row', 'GDPR Art. 9: genetic data'],
  ['special.health', 'row', 'GDPR Art. 9: health beyond clinical records: disability, allergy, sick leave'],
  ['special.orientation', 'row', 'GDPR Art. 9: sex life or sexual orientation'],
  ['sensitive.criminal', 'row', 'GDPR Art. 10: criminal convictions and offences'],
  ['sensitive.income', 'row', 'income, pay or wealth'],
  ['sensitive.credit', 'row', 'debts, credit score or insolvency'],
  ['sensitive.conduct', 'row', 'appraisal, grade or disciplinary measure'],
  ['sensitive.other', 'row', 'what else nobody may learn of a person whom he finds'],
  ['secret.password', 'row', 'password or its hash'],
  ['secret.token', 'row', 'token, API key, session id or other credential'],
  ['secret.url', 'row', 'address that holds or takes a credential: webhook, callback'],
  ['quasi.birth-date', 'subject', 'date of birth that is kept coarse'],
  ['quasi.age', 'subject', 'age'],
  ['quasi.amount', 'row', 'amount of money or other figure that points to a person'],
  ['quasi.timestamp', 'subject', 'instant that points to a person'],
  ['quasi.location', 'row', 'coordinates'],
];

export const tags: ReadonlyMap<string, Tag> = new Map(
  list.map(([name, scope, doc]) => [name, Object.freeze({ name, class: (name.split('.')[0] ?? 'none') as TagClass, scope, doc })]),
);

export function isPersonal(tag: string): boolean {
  return tag !== 'none';
}

/** The categories of Art. 9(1) GDPR, in the words that readers of a record of processing look for. */
export type SpecialCategory = 'origin' | 'politics' | 'belief' | 'union' | 'genetic' | 'biometric' | 'health' | 'orientation';

const specialTags: Readonly<Record<string, SpecialCategory | null>> = {
  ...{ 'pii.biometric': 'biometric', 'pii.special': null },
  ...{ 'phi.note': 'health', 'phi.diagnosis': 'health', 'phi.medication': 'health', 'phi.measurement': 'health' },
};

/** Null: of Art. 9, and the tag does not say which; undefined: it is none. Numbers and dates of `phi.` say nothing of somebody's health. */
export function toSpecialCategory(tag: string): SpecialCategory | null | undefined {
  return Object.hasOwn(specialTags, tag) ? specialTags[tag] : tag.startsWith('special.') ? (tag.slice(8) as SpecialCategory) : undefined;
}

/** Data that Art. 9(1) GDPR singles out. */
export const isSpecial = (tag: string): boolean => toSpecialCategory(tag) !== undefined;

/** What nobody may learn of a person whom he finds: l-diversity and t-closeness are of these. */
export const isSensitive = (tag: string): boolean => isSpecial(tag) || tag.startsWith('sensitive.');

/** Whether a text begins as tags do: only then is it shown, or kept, where somebody else wrote it. */
export const hasTagForm = (text: string): boolean => tagForm.test(text);

const tagForm = new RegExp(`^(?:${tagClasses.join('|')}|none)(?:[.-][a-z]+)*[.-]?$`);
