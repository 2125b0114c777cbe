// uri.parse and uri.is_valid, as Go's net/url reads a reference.
import { isIPv6 } from 'node:net';

import { toObject, type RegoObject } from '../value.js';
import type { Family } from './builtin.js';
import { textOf, unfit } from './operand.js';

export interface Reference {
  readonly scheme: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  /** Decoded, and as it was written. */
  readonly path: string;
  readonly rawPath: string;
  readonly query: string;
  readonly fragment: string;
}

function decode(text: string): string {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return unfit();
  const bytes = Buffer.from(text)
    .toString('latin1')
    .replace(/%(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Go keeps the written path only where it is not how Go itself would write the decoded one. */
function encodePath(path: string): string {
  return encodeURIComponent(path)
    .replace(/%(?:24|26|2B|2C|2F|3A|3B|3D|40)/g, (code) => decodeURIComponent(code))
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function parseReference(text: string): Reference {
  if (/[\x00-\x1f\x7f]/.test(text)) return unfit();
  const [, before = '', fragment = ''] = /^([^#]*)#?(.*)$/s.exec(text) ?? [];
  const [, scheme = ''] = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(before) ?? [];
  if (scheme === '' && before.startsWith(':')) return unfit();
  const rest = scheme === '' ? before : before.slice(scheme.length + 1);
  const [, place = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(rest) ?? [];
  const none = { host: '', hostname: '', port: '' };
  // What has a scheme and no slash is opaque: it has no path.
  if (scheme !== '' && !place.startsWith('/'))
    return { ...none, scheme: scheme.toLowerCase(), path: '', rawPath: '', query, fragment: decode(fragment) };
  if (scheme === '' && /^[^/]*:/.test(place)) return unfit();
  const [, authority, raw = ''] = /^(?:\/\/([^/]*))?(.*)$/s.exec(place) ?? [];
  const path = decode(raw);
  const rawPath = raw !== '' && raw !== encodePath(path) ? raw : '';
  return {
    ...(authority === undefined ? none : parseAuthority(authority)),
    scheme: scheme.toLowerCase(),
    path,
    rawPath,
    query,
    fragment: decode(fragment),
  };
}

function parseAuthority(authority: string): Pick<Reference, 'host' | 'hostname' | 'port'> {
  const at = authority.lastIndexOf('@');
  if (at >= 0 && !/^(?:[\w.~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2})*$/.test(authority.slice(0, at))) return unfit();
  const host = authority.slice(at + 1);
  const literal = /^\[([0-9a-fA-F:.]+(?:%25[\w.~-]+)?)\](?::(\d*))?$/.exec(host);
  if (literal !== null) {
    const [, address = '', port = ''] = literal;
    if (!isIPv6(address.replace(/%.*$/, ''))) return unfit();
    return { host, hostname: decode(address), port };
  }
  // Only bytes that are no ASCII may be escaped in a name.

  const match = /^((?:[^%:[\x00-\x20"<>\\^`{|}]|%[89a-fA-F][0-9a-fA-F])*)(?::(\d*))?$/.exec(host);
  if (match === null) return unfit();
  const [, name = '', port = ''] = match;
  return { host, hostname: decode(name), port };
}

function describe(reference: Reference): RegoObject {
  const { scheme, hostname, port, path, rawPath, query, fragment } = reference;
  const members = { scheme, hostname, port, path, raw_path: path === '' ? '' : rawPath || path, raw_query: query, fragment };
  return toObject(Object.fromEntries(Object.entries(members).filter(([, text]) => text !== '')));
}

export const uriBuiltins: Family = {
  'uri.parse': ([text]) => describe(parseReference(textOf(text))),
  'uri.is_valid': ([text]) => {
    if (typeof text !== 'string' || text === '') return false;
    try {
      parseReference(text);
      return true;
    } catch {
      return false;
    }
  },
};
