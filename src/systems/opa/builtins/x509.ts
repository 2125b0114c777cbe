// crypto.x509.parse_* and private keys, in the form in which OPA shows what Go's crypto/x509 reads: names, times, serial number, alternative names, constraints
// and usages. Chains are not verified here: what Go checks on the way is more than can be copied without a gap, and a gap would be an allow.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

import { fromPlain, type Value } from '../value.js';
import type { Family } from './builtin.js';
import { childrenOf, type Der, readDer, toInteger, toOid, toText, toTimestamp } from './der.js';
import { attempt, textOf, unfit } from './operand.js';

const names: Readonly<Record<string, string>> = {
  ...{ '2.5.4.6': 'Country', '2.5.4.10': 'Organization', '2.5.4.11': 'OrganizationalUnit', '2.5.4.7': 'Locality', '2.5.4.8': 'Province' },
  ...{ '2.5.4.9': 'StreetAddress', '2.5.4.17': 'PostalCode' },
};

/** A distinguished name as Go's pkix.Name. */
function toName(der: Der): Record<string, unknown> {
  const attributes = childrenOf(der)
    .flatMap(childrenOf)
    .map((attribute) => {
      const [type, value] = childrenOf(attribute);
      return { Type: toOid(type ?? unfit()), Value: toText(value ?? unfit()) };
    });
  const of = (oid: string): string[] => attributes.filter(({ Type }) => Type.join('.') === oid).map(({ Value: text }) => text);
  const lists = Object.entries(names).map(([oid, name]) => [name, of(oid).length === 0 ? null : of(oid)] as const);
  return {
    ...Object.fromEntries(lists),
    ...{ CommonName: of('2.5.4.3').at(-1) ?? '', SerialNumber: of('2.5.4.5').at(-1) ?? '', Names: attributes, ExtraNames: null },
  };
}

interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

function toExtensions(list: Der | undefined): Extension[] {
  if (list === undefined) return [];
  return childrenOf(list).map((one) => {
    const parts = childrenOf(one);
    const value = parts.at(-1);
    const critical = parts.length === 3 && parts[1]?.content[0] === 0xff;
    return { oid: toOid(parts[0] ?? unfit()).join('.'), critical, value: value?.tag === 0x04 ? value.content : unfit() };
  });
}

/** Alternative names by kind; null where there are none, as Go's empty slices. */
function toAlternatives(extensions: readonly Extension[]): Record<string, unknown> {
  const found = extensions.find(({ oid }) => oid === '2.5.29.17');
  const all = found === undefined ? [] : childrenOf(readDer(found.value));
  const of = (tag: number): Buffer[] | null => {
    const some = all.filter((one) => one.tag === tag).map(({ content }) => content);
    return some.length === 0 ? null : some;
  };
  const texts = (tag: number): string[] | null => of(tag)?.map((content) => content.toString('latin1')) ?? null;
  return { DNSNames: texts(0x82), EmailAddresses: texts(0x81), URIStrings: texts(0x86), IPAddresses: of(0x87)?.map(toAddress) ?? null };
}

function toAddress(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  return bytes.length === 16 ? bytes.toString('hex').replace(/(.{4})(?=.)/g, '$1:') : unfit();
}

function toShownExtensions(extensions: readonly Extension[]): unknown {
  return extensions.map(({ oid, critical, value }) => ({
    Id: oid.split('.').map(Number),
    Critical: critical,
    Value: value.toString('base64'),
  }));
}

/** Bit 0 of a usage is the highest bit of the first byte. */
function toKeyUsage(extensions: readonly Extension[]): number {
  const found = extensions.find(({ oid }) => oid === '2.5.29.15');
  if (found === undefined) return 0;
  const bits = readDer(found.value).content.subarray(1);
  return Array.from({ length: 9 }, (_, at) => (((bits[at >> 3] ?? 0) >> (7 - (at & 7))) & 1) << at).reduce((sum, bit) => sum | bit, 0);
}

function toConstraints(extensions: readonly Extension[]): Record<string, unknown> {
  const found = extensions.find(({ oid }) => oid === '2.5.29.19');
  if (found === undefined) return { BasicConstraintsValid: false, IsCA: false, MaxPathLen: 0, MaxPathLenZero: false };
  const parts = childrenOf(readDer(found.value));
  const isAuthority = parts[0]?.tag === 0x01 && parts[0].content[0] === 0xff;
  const path = parts.find(({ tag }) => tag === 0x02);
  const length = path === undefined ? -1 : Number(toInteger(path));
  return { BasicConstraintsValid: true, IsCA: isAuthority, MaxPathLen: length, MaxPathLenZero: length === 0 };
}

function toCertificate(bytes: Buffer): Record<string, unknown> {
  const whole = readDer(bytes);
  const [body, , signature] = childrenOf(whole);
  const parts = childrenOf(body ?? unfit());
  const version = parts[0]?.tag === 0xa0 ? Number(toInteger(childrenOf(parts[0])[0] ?? unfit())) + 1 : 1;
  const [serial, , issuer, validity, subject, key, ...rest] = version === 1 ? parts : parts.slice(1);
  const [from, until] = childrenOf(validity ?? unfit());
  const list = rest.find(({ tag }) => tag === 0xa3);
  const extensions = toExtensions(list === undefined ? undefined : childrenOf(list)[0]);
  const raw = (der: Der | undefined): string => (der ?? unfit()).whole.toString('base64');
  return {
    ...{
      Raw: whole.whole.toString('base64'),
      RawTBSCertificate: raw(body),
      RawSubjectPublicKeyInfo: raw(key),
      RawSubject: raw(subject),
      RawIssuer: raw(issuer),
    },
    ...{
      Signature: (signature ?? unfit()).content.subarray(1).toString('base64'),
      Version: version,
      SerialNumber: toInteger(serial ?? unfit()),
    },
    ...{ Issuer: toName(issuer ?? unfit()), Subject: toName(subject ?? unfit()) },
    ...{ NotBefore: toTimestamp(from ?? unfit()), NotAfter: toTimestamp(until ?? unfit()), KeyUsage: toKeyUsage(extensions) },
    ...toConstraints(extensions),
    ...toAlternatives(extensions),
    Extensions: toShownExtensions(extensions),
  };
}

function toRequest(bytes: Buffer): Record<string, unknown> {
  const whole = readDer(bytes);
  const [body, , signature] = childrenOf(whole);
  const [version, subject, key, attributes] = childrenOf(body ?? unfit());
  // pkcs-9-at-extensionRequest.
  const asked = attributes === undefined ? [] : childrenOf(attributes).map(childrenOf);
  const list = asked.find(([type]) => type !== undefined && toOid(type).join('.') === '1.2.840.113549.1.9.14')?.[1];
  const extensions = toExtensions(list === undefined ? undefined : childrenOf(list)[0]);
  const { URIStrings: uris, ...alternatives } = toAlternatives(extensions);
  return {
    ...{ Raw: whole.whole.toString('base64'), RawSubject: (subject ?? unfit()).whole.toString('base64') },
    RawSubjectPublicKeyInfo: (key ?? unfit()).whole.toString('base64'),
    ...{ Version: Number(toInteger(version ?? unfit())), Signature: (signature ?? unfit()).content.subarray(1).toString('base64') },
    ...{ Subject: toName(subject ?? unfit()), ...alternatives, URIs: uris, Extensions: toShownExtensions(extensions) },
  };
}

function decodeBase64(text: string): Buffer {
  if (text === '' || !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) return unfit();
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 0 || text.replace(/\s/g, '').length % 4 !== 0 ? unfit() : bytes;
}

/** The blocks of a PEM text, which may itself be in base64; undefined for a text that is none. */
function readPem(text: string): { readonly label: string; readonly bytes: Buffer; readonly text: string }[] | undefined {
  if (!text.startsWith('-----BEGIN')) return undefined;
  return [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g)].map(([block, label = '', body = '']) => ({
    label,
    text: block,
    bytes: Buffer.from(body.replace(/^.*:.*$/gm, ''), 'base64'),
  }));
}

function parseCertificates(given: string): Value {
  const text = given.startsWith('-----BEGIN') ? given : decodeBase64(given).toString('latin1');
  const blocks = readPem(text);
  if (blocks?.some(({ label }) => label !== 'CERTIFICATE')) return unfit();
  const bytes = blocks === undefined ? Buffer.from(text, 'latin1') : Buffer.concat(blocks.map((block) => block.bytes));
  const all: Record<string, unknown>[] = [];
  for (let at = 0; at < bytes.length;) {
    const { whole } = readDer(bytes, at);
    // The library reads it too: what it refuses is none.
    attempt(() => new X509Certificate(whole));
    all.push(toCertificate(whole));
    at += whole.length;
  }
  return fromPlain(all);
}

function parseRequest(given: string): Value {
  const text = given.startsWith('-----BEGIN CERTIFICATE REQUEST-----') ? given : decodeBase64(given).toString('latin1');
  const blocks = readPem(text);
  if (blocks === undefined) return fromPlain(toRequest(Buffer.from(text, 'latin1')));
  const [block] = blocks;
  return block?.label === 'CERTIFICATE REQUEST' ? fromPlain(toRequest(block.bytes)) : unfit();
}

function privateKeys(text: string): KeyObject[] {
  const decoded = /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text) ? Buffer.from(text, 'base64').toString('latin1') : text;
  const known = ['RSA PRIVATE KEY', 'PRIVATE KEY', 'EC PRIVATE KEY'];
  return (readPem(decoded.slice(Math.max(decoded.indexOf('-----BEGIN'), 0))) ?? [])
    .filter(({ label }) => known.includes(label))
    .map((block) => attempt(() => createPrivateKey(block.text)));
}

const toJwk = (key: KeyObject): Value => fromPlain(attempt(() => key.export({ format: 'jwk' })));

export const x509Builtins: Family = {
  'crypto.x509.parse_certificates': ([text]) => parseCertificates(textOf(text)),
  'crypto.x509.parse_certificate_request': ([text]) => parseRequest(textOf(text)),
  'crypto.x509.parse_rsa_private_key': ([given]) => {
    const text = textOf(given);
    const pem = text.startsWith('-----BEGIN') ? text : decodeBase64(text).toString('latin1');
    const [key] = privateKeys(pem);
    return key === undefined ? null : toJwk(key);
  },
};
