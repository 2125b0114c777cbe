// One made-up person in every table of the sample, with a telling value of its type in every column, path, element, comment and default that can
// hold one; and who may see what of it.
import type { TestServer } from '../support/server.js';
import { Needles } from './needles.js';

/** What kind of place a canary stands in. `schema`: texts that are rebuilt with the schema and that no detector knows as personal. */
export type Kind = 'tagged' | 'kept' | 'schema';

interface Canary {
  readonly kind: Kind;
  /** `schema.table.column`, with a path where it stands inside. */
  readonly at: string;
  /** As COPY shows it. */
  readonly text: string;
  /** As a server's files hold it, where that is not the text. */
  readonly bytes?: Buffer;
}

const word = (name: string): string => `qzx${name}jvwk`;
const int8 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
};
/** Digits of numeric to the base of 10,000, as a server on this kind of machine stores them. */
const numeric = (...digits: number[]): Buffer => Buffer.from(Int16Array.from(digits).buffer);
/** Microseconds since 2000. `text` is in UTC with six digits after the second. */
const timestamp = (text: string): Buffer =>
  int8((BigInt(Date.parse(`${text.slice(0, 19)}Z`)) - BigInt(Date.UTC(2000, 0))) * 1000n + BigInt(text.slice(20, 26)));
const inet = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');

const tagged = (at: string, text: string, bytes?: Buffer): Canary => ({ kind: 'tagged', at, text, ...(bytes ? { bytes } : {}) });
const kept = (at: string, text: string, bytes?: Buffer): Canary => ({ kind: 'kept', at, text, ...(bytes ? { bytes } : {}) });

const ids = { customer: 731044852296n, order: 731044852297n, payment: 731044852298n, message: 731044852299n, complaint: 731044852301n };
const times = {
  customer: '1971-03-11 07:31:04.485229',
  order: '1973-10-04 04:48:52.296177',
  delivery: '1973-10-05 04:48:52.296178',
  paid: '2024-07-31 04:48:52.296179',
  seen: '2024-07-31 04:48:53.296186',
  session: '1973-10-08 04:48:52.296183',
  booked: '1973-10-06 04:48:52.296181',
  message: '1973-10-09 04:48:52.296184',
  complaint: '1973-10-10 04:48:52.296185',
} as const;
const ips = { signup: 'fd73:1044:8522:9617:7310:4485:2296:177b', visit: 'fd73:1044:8522:9617:7310:4485:2296:177a' } as const;
const uuid = '73104485-2296-4177-8731-044852296177';
const mac = '73:10:44:85:22:96';
const email = `${word('Mail')}@${word('Host')}.example`;
const hash = `$2b$12$${word('hash')}${'x'.repeat(53 - word('hash').length)}`;

export const canaries: readonly Canary[] = [
  tagged('shop.customer.id', String(ids.customer), int8(ids.customer)),
  tagged('shop.customer.email', email),
  tagged('shop.customer.first_name', word('first')),
  tagged('shop.customer.last_name', word('last')),
  tagged('shop.customer.phone', '+49 30 7310 4485 2296'),
  tagged('shop.customer.birth_date', '1911-07-23'),
  tagged('shop.customer.national_id', '731-58-2946'),
  tagged('shop.customer.card_number', '4731044852296177'),
  tagged('shop.customer.iban', 'GB73BARC73104485229617'),
  tagged('shop.customer.signup_ip', ips.signup, inet(ips.signup)),
  tagged('shop.customer.nicknames[]', word('nick')),
  tagged('shop.customer.attributes.skype', word('skype')),
  kept('shop.customer.attributes.size', word('size')),
  kept('shop.customer.profile.lang', word('lang')),
  kept('shop.customer.profile.score', '9173104485296180', numeric(9173, 1044, 8529, 6180)),
  tagged('shop.customer.profile.contact.email', `${word('second')}@${word('other')}.example`),
  tagged('shop.customer.profile.contact.phone', '+1-731-044-8522'),
  tagged('shop.customer.profile.family[].name', `${word('child')} ${word('family')}`),
  tagged('shop.customer.profile.family[].age', '731044852296181', numeric(731, 448, 5229, 6181)),
  tagged('shop.customer.emergency_contact.name', `${word('friend')} ${word('close')}`),
  tagged('shop.customer.emergency_contact.phone', '+44 73 1044 8522 96'),
  tagged('shop.customer.password_hash', word('hash')),
  tagged('shop.customer.notes', `${word('note')} and ${word('more')}`),
  tagged('shop.customer.created_at', times.customer, timestamp(times.customer)),
  kept('shop.store.name', word('store')),
  kept('shop.store.opening_hours', word('hours')),
  kept('shop.store.price_level', '9173104485296.5', numeric(9, 1731, 448, 5296, 5000)),
  tagged('"Human Resources"."Employee"."Employee No"', '731044853'),
  tagged('"Human Resources"."Employee"."First Name"', word('staff')),
  tagged('"Human Resources"."Employee"."Last Name"', word('clerk')),
  tagged('"Human Resources"."Employee"."E-mail"', `${word('staffmail')}@example.org`),
  tagged('"Human Resources"."Employee"."Salary"', '73104485.23', numeric(7310, 4485, 2300)),
  tagged('"Human Resources"."Employee"."Badge Photo"', word('photo')),
  tagged('"Human Resources"."Employee"."Hired"', '1973-10-07'),
  kept('shop.address.label', 'QZXLABEL'),
  tagged('shop.address.street', word('street')),
  tagged('shop.address.house_number', word('house')),
  tagged('shop.address.city', word('city')),
  tagged('shop.address.postcode', 'QZXPC 731044'),
  kept('shop.product.sku', word('sku')),
  kept('shop.product.title', word('title')),
  kept('shop.product.price', '73104485.22', numeric(7310, 4485, 2200)),
  kept('shop.product.tags[]', word('tag')),
  kept('shop.product.warranty', '7310 days 04:48:52.29'),
  tagged('shop."order".id', String(ids.order), int8(ids.order)),
  tagged('shop."order".total', '7310448522.96', numeric(73, 1044, 8522, 9600)),
  tagged('shop."order".ordered_at', times.order, timestamp(times.order)),
  kept('shop."order".delivery_window', times.delivery, timestamp(times.delivery)),
  tagged('shop."order".gift_message', word('gift')),
  kept('shop.order_item.price', '73104485.24', numeric(7310, 4485, 2400)),
  tagged('shop.payment.id', String(ids.payment), int8(ids.payment)),
  kept('shop.payment.paid_at', times.paid, timestamp(times.paid)),
  tagged('shop.payment.amount', '7310448523.97', numeric(73, 1044, 8523, 9700)),
  tagged('shop.payment.card_number', '5731044852296177'),
  tagged('shop.payment.card_holder', `${word('holder')} ${word('card')}`),
  tagged('shop.message.id', String(ids.message), int8(ids.message)),
  tagged('shop.message.body', word('body')),
  kept('shop.message.sent_at', times.message, timestamp(times.message)),
  tagged('shop.complaint.id', String(ids.complaint), int8(ids.complaint)),
  tagged('shop.complaint.body', word('angry')),
  kept('shop.complaint.sent_at', times.complaint, timestamp(times.complaint)),
  kept('shop.visit.seen_at', times.seen, timestamp(times.seen)),
  tagged('shop.visit.ip', ips.visit, inet(ips.visit)),
  tagged('shop.visit.mac', mac, inet(mac)),
  tagged('shop.visit.user_agent', word('agent')),
  kept('shop.visit.page', word('page')),
  tagged('shop.session.id', uuid, Buffer.from(uuid.replaceAll('-', ''), 'hex')),
  tagged('shop.session.token', word('token')),
  tagged('shop.session.started_at', times.session, timestamp(times.session)),
  tagged('shop.session.callback_url', word('callback')),
  tagged('shop.booking.id', '731044855'),
  kept('shop.booking.during', times.booked, timestamp(times.booked)),
  tagged('shop.support_ticket.id', '731044854'),
  tagged('shop.support_ticket.subject', word('subject')),
  tagged('shop.support_ticket.transcript[].text', word('said')),
  kept('shop.support_ticket.status', word('status')),
  kept('shop."user"."group"', word('group')),
  tagged('shop."user"."select"', '731044856'),
  tagged('shop."user".username', word('user')),
  tagged('shop.survey.id', '731044857'),
  { kind: 'schema', at: 'comment of shop.product.title', text: word('comment') },
  { kind: 'schema', at: 'default of shop.product.title', text: word('default') },
];

/** Columns that can hold nothing telling: a few words, small numbers, or what stands in another table already. */
export const untelling: Readonly<Record<string, RegExp>> = {
  'two letters, yes or no, a word of an enum, a digit or two':
    /^shop\.(\w+\.(country|marketing|line|quantity|urgent)|"order"\.status|survey\.answer_\d+)$/,
  'references of a key above':
    /\.(\w*customer_id|customer_email|ship_label|referred_by|favourite_store|manager_id|order_id|"Works In"|"Boss")$|^shop\.(order_item\.sku|store\.id)$/,
  'generated from columns above': /^shop\.(customer\.(display_name|search)|order_item\.amount)$/,
  'partitions and children of a table above': /^shop\.payment_\w+\.|^shop\.complaint\.customer_id$/,
};

/** `name in place` per kind. Four bytes (int4, date) are too few to tell anything in a file: these are looked for as texts. */
export function needlesOf(...kinds: readonly Kind[]): Needles {
  const chosen = canaries.filter(({ kind }) => kinds.includes(kind));
  return new Needles({
    ...Object.fromEntries(chosen.map(({ at, text }) => [at, text])),
    ...Object.fromEntries(chosen.flatMap(({ at, bytes }) => (bytes ? [[`bytes of ${at}`, [bytes]]] : []))),
  });
}

export async function plantInSample(server: TestServer, database: string): Promise<void> {
  const text = Object.fromEntries(canaries.map((canary) => [canary.at, `'${canary.text}'`]));
  const value = (at: string): string => {
    const found = text[at];
    if (found === undefined) throw new Error(`no canary for ${at}`);
    return found;
  };
  const c = (name: string): string => value(`shop.customer.${name}`);
  const profile = `jsonb_build_object('lang', ${c('profile.lang')}, 'score', 9173104485296180, 'contact', jsonb_build_object('email', ${c('profile.contact.email')}, 'phone', ${c('profile.contact.phone')}), 'family', jsonb_build_array(jsonb_build_object('name', ${c('profile.family[].name')}, 'age', 731044852296181)))`;
  const e = (name: string): string => value(`"Human Resources"."Employee"."${name}"`);
  await server.sql(
    database,
    `SET TimeZone = 'UTC';
INSERT INTO shop.store (name, opening_hours, price_level) VALUES (${value('shop.store.name')}, jsonb_build_object('mon', ${value('shop.store.opening_hours')}), '[9173104485296.5,9999999999999)');
INSERT INTO "Human Resources"."Employee" ("Employee No", "First Name", "Last Name", "E-mail", "Salary", "Works In", "Boss", "Badge Photo", "Hired")
  VALUES (731044853, ${e('First Name')}, ${e('Last Name')}, ${e('E-mail')}, 73104485.23, 1, NULL, convert_to(${e('Badge Photo')}, 'UTF8'), ${e('Hired')});
INSERT INTO shop.customer (id, email, first_name, last_name, phone, birth_date, national_id, card_number, iban, signup_ip, nicknames, attributes, profile, emergency_contact, password_hash, country, notes, marketing, favourite_store, referred_by, created_at)
  OVERRIDING SYSTEM VALUE VALUES (${ids.customer}, ${c('email')}, ${c('first_name')}, ${c('last_name')}, ${c('phone')}, ${c('birth_date')}, ${c('national_id')}, ${c('card_number')}, ${c('iban')}, ${c('signup_ip')},
    ARRAY[${c('nicknames[]')}, NULL], hstore(ARRAY['skype', ${c('attributes.skype')}, 'size', ${c('attributes.size')}]), ${profile}, ROW(${c('emergency_contact.name')}, ${c('emergency_contact.phone')})::shop.contact,
    '${hash}', 'DE', ${c('notes')}, true, 1, ${ids.customer}, '${times.customer}');
INSERT INTO shop.address VALUES (${ids.customer}, ${value('shop.address.label')}, ${value('shop.address.street')}, ${value('shop.address.house_number')}, ${value('shop.address.city')}, ${value('shop.address.postcode')}, 'DE');
INSERT INTO shop.product VALUES (${value('shop.product.sku')}, ${value('shop.product.title')}, 73104485.22, ARRAY[${value('shop.product.tags[]')}], ${value('shop.product.warranty')});
INSERT INTO shop."order" (id, customer_id, customer_email, ship_customer_id, ship_label, total, ordered_at, delivery_window, gift_message)
  VALUES (${ids.order}, ${ids.customer}, ${c('email')}, ${ids.customer}, 'QZXLABEL', 7310448522.96, '${times.order}', tstzrange('${times.delivery}', NULL), ${value('shop."order".gift_message')});
INSERT INTO shop.order_item (order_id, line, sku, quantity, price) VALUES (${ids.order}, 1, ${value('shop.product.sku')}, 1, 73104485.24);
INSERT INTO shop.payment VALUES (${ids.payment}, ${ids.order}, '${times.paid}', 7310448523.97, ${value('shop.payment.card_number')}, ${value('shop.payment.card_holder')});
INSERT INTO shop.message VALUES (${ids.message}, ${ids.customer}, ${value('shop.message.body')}, '${times.message}');
INSERT INTO shop.complaint VALUES (${ids.complaint}, ${ids.customer}, ${value('shop.complaint.body')}, '${times.complaint}', true);
INSERT INTO shop.visit VALUES ('${times.seen}', '${ips.visit}', '${mac}', ${value('shop.visit.user_agent')}, ${ids.customer}, ${value('shop.visit.page')});
INSERT INTO shop.session VALUES ('${uuid}', ${ids.customer}, 'sk_live_' || ${value('shop.session.token')}, '${times.session}', 'https://hooks.partner.io/u/' || ${value('shop.session.callback_url')});
INSERT INTO shop.booking OVERRIDING SYSTEM VALUE VALUES (731044855, tsrange('${times.booked}', '1973-10-06 05:00'), ${ids.customer});
INSERT INTO shop.support_ticket OVERRIDING SYSTEM VALUE VALUES (731044854, ${c('email')}, ${value('shop.support_ticket.subject')}, jsonb_build_array(jsonb_build_object('from', ${c('email')}, 'text', ${value('shop.support_ticket.transcript[].text')})), ${value('shop.support_ticket.status')});
INSERT INTO shop."user" VALUES (${value('shop."user"."group"')}, 731044856, ${value('shop."user".username')}, ${ids.customer});
INSERT INTO shop.survey (id, customer_id, answer_001) VALUES (731044857, ${ids.customer}, 31044);
COMMENT ON COLUMN shop.product.title IS '${word('comment')}';
ALTER TABLE shop.product ALTER title SET DEFAULT '${word('default')}';
REFRESH MATERIALIZED VIEW shop.top_customer;
ANALYZE;`,
  );
}
