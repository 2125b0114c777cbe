// What the service keeps in BAUTA_HOME: the key under which tokens are stored, and where the embedded Postgres has its data.
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import type { Settings } from '../config/settings.js';
import { toError } from '../kernel/errors.js';

export interface EmbeddedHome {
  readonly folder: string;
  readonly password: string;
}

export function openHome({ BAUTA_HOME: home }: Settings): string {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return home;
}

/** 32 bytes. With several processes on one metadata database all of them need the same key, so that it has to be given there. */
export function loadServerKey(settings: Settings, environment: NodeJS.ProcessEnv): Uint8Array {
  const { BAUTA_SERVER_KEY: reference, BAUTA_METADATA: metadata } = settings;
  if (reference !== '') return parseKey(readReference(reference, environment), reference);
  if (metadata !== '')
    throw toError('SETTING_MISSING', { name: 'BAUTA_SERVER_KEY', expected: 'env:NAME or file:PATH, the same for every process' });
  const path = join(openHome(settings), 'server.key');
  if (!existsSync(path)) writeOnce(path, `${randomBytes(32).toString('base64')}\n`);
  if ((statSync(path).mode & 0o077) !== 0) throw toError('SERVER_KEY_INVALID', { name: path });
  return parseKey(readFileSync(path, 'utf8'), path);
}

/** Where this home's cluster is: outside of the checkout, and traversable, since as root the server runs as nobody. */
export function loadEmbeddedHome(settings: Settings): EmbeddedHome {
  const path = join(openHome(settings), 'postgres.json');
  if (!existsSync(path)) {
    const name = randomBytes(6).toString('hex');
    const parent =
      process.getuid?.() === 0 ? '/var/lib/bauta' : join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'bauta');
    const folder = settings.BAUTA_POSTGRES_FOLDER === 'auto' ? join(parent, name) : settings.BAUTA_POSTGRES_FOLDER;
    writeOnce(path, `${JSON.stringify({ folder, password: randomBytes(24).toString('base64url') })}\n`);
  }
  return JSON.parse(readFileSync(path, 'utf8')) as EmbeddedHome;
}

/** The text behind `env:NAME` or `file:PATH` of a setting. */
export function readReference(reference: string, environment: NodeJS.ProcessEnv): string {
  const text = reference.startsWith('env:') ? environment[reference.slice(4)] : readFileOrNothing(reference.slice(5));
  if (text === undefined || text.trim() === '') throw toError('CONNECTION_REFERENCE_INVALID', { name: reference });
  return text.trim();
}

function readFileOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parseKey(text: string, name: string): Uint8Array {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== 32 || !/^[A-Za-z0-9+/]{43}=$/.test(text.trim())) throw toError('SERVER_KEY_INVALID', { name });
  return key;
}

/** Of two that write at the same time one does, and both read what it wrote. */
export function writeOnce(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    chmodSync(path, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
