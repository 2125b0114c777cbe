import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { passesIban, passesLuhn } from './check-digits.js';
import { findByName, isPersonTable } from './by-name.js';
import { detectors, detectText, detectValue, isDataKey, toShownKey } from './detectors.js';

const rules = (value: string): string[] => detectValue(value).map(({ rule }) => rule);
const tags = (text: string): string[] => [...new Set(detectText(text).map(({ tag }) => tag))].sort();

describe('a detector', () => {
  it.each([
    ['anna.meier@web.de', 'content/email'],
    ['+49 30 901820', 'content/phone'],
    ['(212) 555-0147', 'content/phone'],
    ['030 / 901820', 'content/phone'],
    ['4111 1111 1111 1111', 'content/pan'],
    ['378282246310005', 'content/pan'],
    ['DE89 3704 0044 0532 0130 00', 'content/iban'],
    ['GB82WEST12345698765432', 'content/iban'],
    ['123-45-6789', 'content/ssn'],
    ['AB 12 34 56 C', 'content/nino'],
    ['12345678Z', 'content/dni'],
    ['44051401359', 'content/pesel'],
    ['RSSMRA85T10A562S', 'content/codice-fiscale'],
    ['192.0.2.7', 'content/ip'],
    ['2001:db8::1', 'content/ip'],
    ['08:00:2b:01:02:03', 'content/mac'],
    ['https://example.com/anna', 'content/url'],
    ['https://hooks.example.com/in?token=abc', 'content/url-secret'],
    ['3f2504e0-4f89-11d3-9a0c-0305e82c3301', 'content/uuid'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'content/token'],
    ['ghp_abcdefghijklmnopqrstuvwxyz0123456789', 'content/token'],
    ['$2b$12$KIXQ0Yd7ZbZP1yPq7o0h1eWl8m0L0lq1b1c2d3e4f5g6h7i8j9k0l', 'content/password-hash'],
    ['SCRAM-SHA-256$4096:abc$def:ghi', 'content/password-hash'],
    ['SW1A 1AA', 'content/postcode'],
    ['Aaron', 'content/first-name'],
    ['Mozilla/5.0 (X11; Linux x86_64)', 'content/user-agent'],
  ])('knows %s', (value, rule) => expect(rules(value)).toContain(rule));

  it.each([
    '4111 1111 1111 1112',
    'DE89 3704 0044 0532 0130 01',
    '12345678A',
    '44051401358',
    '1234567890123456',
    'order-17',
    '2024-01-01',
    'paid',
  ])('does not take %s for a number with check digits or for an address', (value) =>
    expect(rules(value).filter((rule) => !/postcode|name|phone/.test(rule))).toEqual([]),
  );

  it('holds check digits to their law: one changed digit is found', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{15}$/), fc.nat(15), fc.integer({ min: 1, max: 9 }), (body, place, change) => {
        const check = [...'0123456789'].find((digit) => passesLuhn(body + digit)) ?? '';
        const whole = body + check;
        const wrong = whole.slice(0, place) + String((Number(whole[place]) + change) % 10) + whole.slice(place + 1);
        return passesLuhn(whole) && !passesLuhn(wrong);
      }),
    );
    expect(passesIban('DE89370400440532013000')).toBe(true);
    expect(passesIban('DE98370400440532013000')).toBe(false);
  });

  it('takes time in proportion to the text, whatever the text', () => {
    const nasty = ['a', '1', ' ', '@', '.', '+1', 'eyJ', 'A1', '1-', '1.', 'a.', 'http://', 'x:', 'Anna ', '$2b$', '/', '?', '-', ':'];
    for (const piece of nasty) {
      for (const other of ['', '@', '!']) {
        const text = (piece + other).repeat(Math.ceil(200_000 / (piece.length + other.length)));
        const from = performance.now();
        detectText(text);
        detectValue(text);
        expect([piece, other, performance.now() - from < 2000]).toEqual([piece, other, true]);
      }
    }
  });

  it('says the rule and the tag and nothing else', () => {
    for (const hit of [...detectText('write to anna.meier@web.de'), ...detectValue('anna.meier@web.de')])
      expect(Object.keys(hit).sort()).toEqual(['rule', 'tag']);
    expect(detectors.every(({ confidence }) => confidence > 0 && confidence <= 1)).toBe(true);
  });
});

describe('a text', () => {
  it.each([
    ['ask anna.meier@web.de before you touch this', 'pii.email'],
    ["CHECK ((owner <> 'DE89370400440532013000'))", 'pii.iban'],
    ["DEFAULT '4111-1111-1111-1111'::text", 'pci.pan'],
    ['call +49 30 9018 2012', 'pii.phone'],
    ['his number is 123-45-6789', 'pii.national-id'],
    ['the gateway is 8.8.4.4 now', 'pii.ip'],
    ['postgres://app:hunter2@db.internal/x', 'secret.url'],
    ["SET api_key = 'sk_live_abcdefghijklmnop'", 'secret.token'],
    ['made for Stefan Schmidt', 'pii.full-name'],
  ])('gives away: %s', (text, tag) => expect(tags(text)).toContain(tag));

  it.each([
    "CHECK (((email)::text ~ '^[^@]+@[^@]+$'::text))",
    "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "DEFAULT nextval('shop.store_id_seq'::regclass)",
    'SELECT first || last FROM shop.customer WHERE id > 1000000000000000',
    'One row a person. New York Street Price List',
    '127.0.0.1 is this machine, 192.168.1.1 the router, version 1.2.3.4.5',
    "DEFAULT '00000000-0000-0000-0000-000000000000'::uuid",
  ])('is nobody’s: %s', (text) => expect(detectText(text)).toEqual([]));

  it('is read to its end, borders of pieces included', () => {
    for (const before of [0, 16_370, 16_384, 15_360, 40_000])
      expect(tags(`${'x '.repeat(before / 2)} anna.meier@web.de`)).toEqual(['pii.email']);
  });
});

describe('a key of a document', () => {
  it.each(['contact', 'first_name', 'order-lines', 'x1', 'Email', 'iPhone', 'addressLine2'])('%s is shown', (key) =>
    expect(toShownKey(key)).toBe(key),
  );
  it.each([
    'anna.meier@web.de',
    'anna smith',
    'Anna',
    'anna_smith',
    'c_4711471147',
    'a'.repeat(42),
    '',
    '4711',
    'ghp_abcdefghijklmnopqrstuvwxyz012345',
    'é',
  ])('%j is not', (key) => expect([isDataKey(key), toShownKey(key)]).toEqual([true, '*']));
});

describe('a name', () => {
  it.each([
    ['email', 'text', 'pii.email'],
    ['customerEmail', 'text', 'pii.email'],
    ['Vorname', 'text', 'pii.first-name'],
    ['date_de_naissance', 'date', 'pii.date-of-birth'],
    ['Straße', 'text', 'pii.address.street'],
    ['imię', 'text', 'pii.first-name'],
    ['codice_fiscale', 'text', 'pii.national-id'],
    ['apellidos', 'text', 'pii.last-name'],
    ['phone2', 'text', 'pii.phone'],
    ['emails', 'text', 'pii.email'],
    ['hashed_password', 'text', 'secret.password'],
    ['salary', 'number', 'quasi.amount'],
  ] as const)('%s says what it is', (name, family, tag) => expect(findByName(name, family)?.tag).toBe(tag));

  it.each([
    ['email_verified', 'boolean'],
    ['email_verified_at', 'date'],
    ['phone_count', 'number'],
    ['status', 'text'],
    ['email', 'date'],
    ['quantity', 'number'],
  ] as const)('%s (%s) says nothing', (name, family) => expect(findByName(name, family)).toBeUndefined());

  it('tells tables of people in several languages', () => {
    expect(['customers', 'Kunden', 'app_user', 'clientes', 'pracownik', 'utenti'].filter((name) => !isPersonTable(name))).toEqual([]);
    expect(['orders', 'invoice', 'produkt'].filter((name) => isPersonTable(name))).toEqual([]);
  });
});
