// `bauta gate check --breakglass NOTE`: past the gate, once. The service is told first; where it cannot be reached the note is checked here, by the log's
// public key, and the service is told as soon as it answers again.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { parseSettings } from '../config/settings.js';
import { systemClock, toTimestamp } from '../kernel/clock.js';
import { type BautaError, InputError, toError, toKnownError } from '../kernel/errors.js';
import { parseNote } from '../kernel/signed-note.js';
import { type Breakglass, type BreakglassScope, findMisfit, openBreakglass, parseBreakglassText } from '../pipeline/breakglass.js';
import { BreakglassRegister, type KeptUse } from '../systems/files/files.js';
import type { GlobalOptions } from './context.js';
import type { Server } from './server.js';
import { readVerifier } from './verifier-key.js';

export interface BreakglassOptions extends Pick<GlobalOptions, 'home'> {
  /** File of the signed note. */
  readonly breakglass?: string;
  /** Path of log.pub. */
  readonly key?: string;
}

export interface UsedBreakglass {
  readonly id: string;
  readonly use: string;
  readonly offline: boolean;
  readonly expiresAt: string;
}

export const registerOf = ({ home }: Pick<GlobalOptions, 'home'>): BreakglassRegister =>
  new BreakglassRegister(home ?? parseSettings(process.env).BAUTA_HOME);

/** Throws BREAKGLASS_REFUSED, BREAKGLASS_USED, HOME_UNWRITABLE, or what the service says against it. */
export async function useBreakglass(
  server: Server,
  wanted: BreakglassScope,
  options: BreakglassOptions & { readonly breakglass: string },
): Promise<UsedBreakglass> {
  const nowMs = systemClock.now();
  const note = await readNote(options.breakglass);
  const said = parseBreakglassText(parseNote(note)?.text ?? '');
  if (!said) throw refused('it is none');
  const misfit = findMisfit(said, wanted, nowMs);
  if (misfit !== undefined) throw refused(misfit);
  // Before it may become known anywhere: a second process of this machine finds it used.
  const kept: KeptUse = { ...wanted, id: said.id, use: randomUUID(), note, usedAt: toTimestamp(nowMs), handedIn: false };
  const register = registerOf(options);
  if (!(await register.claim(kept))) throw toError('BREAKGLASS_USED');
  const used = { id: said.id, use: kept.use, expiresAt: said.expiresAt };
  try {
    await tell(server, kept, false);
  } catch (error) {
    if (!isAway(error)) {
      if (toKnownError(error).code === 'BREAKGLASS_USED') await register.settle(kept);
      else register.release(kept.id);
      throw error;
    }
    try {
      await requireSigned(note, said, options.key);
    } catch (problem) {
      register.release(kept.id);
      throw problem;
    }
    return { ...used, offline: true };
  }
  await register.settle(kept);
  return { ...used, offline: false };
}

/** The uses that the service was not told of; gives those that it took, and what kept the others. */
export async function handIn(
  server: Server,
  options: Pick<GlobalOptions, 'home'>,
): Promise<{ readonly handedIn: readonly KeptUse[]; readonly failed: readonly BautaError[] }> {
  const register = registerOf(options);
  const [handedIn, failed]: [KeptUse[], BautaError[]] = [[], []];
  for (const use of register.pending()) {
    try {
      await tell(server, use, true);
      await register.settle(use);
      handedIn.push(use);
    } catch (error) {
      failed.push(toKnownError(error));
    }
  }
  return { handedIn, failed };
}

async function tell(server: Server, { gate, environment, service, commit, note, use, usedAt }: KeptUse, offline: boolean): Promise<void> {
  await server.post('/v1/breakglasses/uses', {
    ...{ gate, environment, service, commit, note, use, ...(offline ? { usedOfflineAt: usedAt } : {}) },
  });
}

/** Whether nobody answered who could know better. */
export function isAway(error: unknown): boolean {
  const { class: kind } = toKnownError(error);
  return kind === 'UnavailableError' || kind === 'InvariantError';
}

async function requireSigned(note: string, said: Breakglass, key: string | undefined): Promise<void> {
  if (key === undefined) throw new InputError('OPTION_MISSING', { name: '--key', expected: 'the public key of the log, to check it here' });
  const opened = openBreakglass(note, [await readVerifier(key)]);
  if (opened.breakglass?.id !== said.id) throw refused('that key did not sign it');
}

const refused = (name: string): BautaError => toError('BREAKGLASS_REFUSED', { name });

async function readNote(file: string): Promise<string> {
  const text = await readFile(file === '-' ? '/dev/stdin' : file, 'utf8').catch(() => undefined);
  if (text === undefined || text.length > 8192) throw refused('it cannot be read');
  return text;
}
