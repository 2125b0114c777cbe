// Reads a bundle's archive: a gzipped tar of plain files (ustar, pax and GNU names). Limits come first: what unpacks to more, holds more files, links, or leaves its
// folder is refused before anything of it is used.
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

import { toError } from '../../kernel/errors.js';

export const archiveLimits = { packedBytes: 32 * 1024 * 1024, bytes: 128 * 1024 * 1024, files: 4096 } as const;

const block = 512;
const unpack = promisify(gunzip);
const refuse = (expected: string): never => {
  throw toError('POLICY_BUNDLE_UNREADABLE', { expected });
};

/** Files by path, without a leading slash. Throws POLICY_BUNDLE_UNREADABLE. */
export async function readArchive(packed: Uint8Array): Promise<ReadonlyMap<string, Buffer>> {
  if (packed.length > archiveLimits.packedBytes) refuse(`at most ${archiveLimits.packedBytes} bytes`);
  let tar: Buffer;
  try {
    tar = await unpack(packed, { maxOutputLength: archiveLimits.bytes });
  } catch {
    return refuse(`a gzipped tar of at most ${archiveLimits.bytes} bytes`);
  }
  const files = new Map<string, Buffer>();
  let named: { path?: string; size?: number } = {};
  for (let at = 0; at + block <= tar.length;) {
    const header = tar.subarray(at, at + block);
    if (header.every((byte) => byte === 0)) return files;
    const type = String.fromCharCode(header[156] ?? 0);
    const size = named.size ?? readNumber(header, 124, 12);
    const content = tar.subarray(at + block, at + block + size);
    if (!hasChecksum(header) || content.length !== size) refuse('a whole tar');
    at += block + Math.ceil(size / block) * block;
    if (type === 'x') named = readPax(content);
    else if (type === 'L') named = { path: readText(content, 0, content.length) };
    else {
      if (type === '0' || type === '\0') addFile(files, named.path ?? readPath(header), content);
      else if (type !== '5' && type !== 'g') refuse('plain files and folders only');
      named = {};
    }
  }
  return refuse('a whole tar');
}

function addFile(files: Map<string, Buffer>, given: string, content: Buffer): void {
  const path = given.replace(/^(?:\.?\/)+/, '');
  const names = path.split('/');

  if (path === '' || /[\\\x00-\x1f]/.test(path) || names.some((name) => name === '' || name === '.' || name === '..'))
    refuse('paths below the bundle');
  if (files.has(path)) refuse('each path once');
  if (files.size >= archiveLimits.files) refuse(`at most ${archiveLimits.files} files`);
  files.set(path, content);
}

function readText(bytes: Buffer, from: number, length: number): string {
  const field = bytes.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

function readNumber(header: Buffer, from: number, length: number): number {
  const text = readText(header, from, length).trim();
  return /^[0-7]{1,11}$/.test(text) ? parseInt(text, 8) : refuse('sizes in octal digits');
}

function readPath(header: Buffer): string {
  const prefix = readText(header, 257, 5) === 'ustar' ? readText(header, 345, 155) : '';
  return prefix === '' ? readText(header, 0, 100) : `${prefix}/${readText(header, 0, 100)}`;
}

/** The sum of the header's bytes, with its own field as spaces. */
function hasChecksum(header: Buffer): boolean {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return readNumber(header, 148, 8) === sum;
}

function readPax(content: Buffer): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < content.length;) {
    const length = Number(/^\d+(?= )/.exec(content.toString('latin1', at, at + 20))?.[0] ?? refuse('a whole tar'));
    const [, key = '', value = ''] = /^\d+ ([^=]+)=(.*)\n$/s.exec(content.toString('utf8', at, at + length)) ?? [];
    if (length === 0) refuse('a whole tar');
    if (key === 'path') found.path = value;
    if (key === 'size') found.size = Number(value);
    at += length;
  }
  return found;
}
