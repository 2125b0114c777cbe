// Encodings: base64url without padding, hex, URL queries, JSON with options, YAML.
import { type Document, parseAllDocuments, stringify } from 'yaml';

import { fromPlain, RegoObject, RegoSet, toJson, toPlain, type Value } from '../value.js';
import { parseNotation } from '../notation.js';
import type { Family } from './builtin.js';
import { attempt, isArray, objectOf, optionalText, textOf, unfit } from './operand.js';

/** As Go's url.QueryEscape. */
export function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

function unescapeQuery(text: string): string {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return unfit();
  const bytes = text
    .replaceAll('+', ' ')
    .replace(/%(..)|[^\0-\x7f]+/gs, (whole, hex: string | undefined) =>
      hex === undefined ? Buffer.from(whole).toString('latin1') : String.fromCharCode(parseInt(hex, 16)),
    );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function encodeQuery(object: RegoObject): string {
  const pairs = object.sorted().flatMap(([key, item]): string[] => {
    const texts = item instanceof RegoSet ? item.sorted() : isArray(item) ? item : [item];
    return texts.map((text) => `${escapeQuery(textOf(key))}=${escapeQuery(textOf(text))}`);
  });
  return pairs.join('&');
}

function decodeQuery(query: string): RegoObject {
  const found = new Map<string, string[]>();
  for (const pair of query.split('&').filter((part) => part !== '')) {
    if (pair.includes(';')) return unfit();
    const [, key = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
    const name = unescapeQuery(key);
    found.set(name, [...(found.get(name) ?? []), unescapeQuery(value)]);
  }
  return new RegoObject(found.entries());
}

function decodeHex(text: string): string {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) return unfit();
  return Buffer.from(text, 'hex').toString('utf8');
}

/** As Go's encoding/json: sorted keys, and what HTML minds escaped. */
export function marshal(value: Value): string {
  return toJson(value).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function indentJson(value: Value, prefix: string, indent: string, depth: number): string {
  const items =
    value instanceof RegoObject
      ? (parseNotation(toJson(value)) as RegoObject).sorted().map(([key, item]) => [`${marshal(key)}: `, item] as const)
      : (value instanceof RegoSet ? value.sorted() : isArray(value) ? value : undefined)?.map((item) => ['', item] as const);
  if (items === undefined || items.length === 0) return marshal(value);
  const [open, close] = value instanceof RegoObject ? '{}' : '[]';
  const line = (level: number): string => `\n${prefix}${indent.repeat(level)}`;
  const lines = items.map(([before, item]) => `${line(depth + 1)}${before}${indentJson(item, prefix, indent, depth + 1)}`);
  return `${open}${lines.join(',')}${line(depth)}${close}`;
}

function marshalWithOptions(value: Value, options: RegoObject): string {
  const given = new Map(options.entries().map(([key, item]) => [textOf(key), item]));
  for (const key of given.keys()) if (!['prefix', 'indent', 'pretty'].includes(key)) return unfit();
  const pretty = given.has('pretty') ? given.get('pretty') : given.size > 0;
  if (typeof pretty !== 'boolean') return unfit();
  const [prefix, indent] = [optionalText(options, 'prefix'), optionalText(options, 'indent', '\t')];
  return pretty ? prefix + indentJson(value, prefix, indent, 0) : marshal(value);
}

/** Numbers keep their literals where they are JSON's; tags that make anything but data are refused. */
function parseYaml(text: string): Value {
  const documents = attempt(() => [...parseAllDocuments(text, { version: '1.1', intAsBigInt: true, merge: true })] as Document[]);
  if (documents.some(({ errors }) => errors.length > 0)) return unfit();
  // Only the first counts, as in OPA.
  const [document] = documents;
  if (document === undefined) return null;
  return attempt(() => fromPlain(toData(document.toJS({ maxAliasCount: 100 }) as unknown)));
}

function toData(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toData);
  if (typeof value === 'number' && !Number.isFinite(value)) return unfit();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toData(item)]));
}

export const encodingBuiltins: Family = {
  'base64url.encode_no_pad': ([text]) => Buffer.from(textOf(text)).toString('base64url'),
  'hex.encode': ([text]) => Buffer.from(textOf(text)).toString('hex'),
  'hex.decode': ([text]) => decodeHex(textOf(text)),
  'json.marshal_with_options': ([value = null, options]) => marshalWithOptions(value, objectOf(options)),
  'urlquery.encode': ([text]) => escapeQuery(textOf(text)),
  'urlquery.decode': ([text]) => unescapeQuery(textOf(text)),
  'urlquery.encode_object': ([object]) => encodeQuery(objectOf(object)),
  'urlquery.decode_object': ([text]) => decodeQuery(textOf(text)),
  'yaml.marshal': ([value = null]) => stringify(toPlain(value), { sortMapEntries: true, lineWidth: 0, indentSeq: false }),
  'yaml.unmarshal': ([text]) => parseYaml(textOf(text)),
  'yaml.is_valid': ([text]) => typeof text === 'string' && isValid(() => parseYaml(text)),
};

function isValid(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}
