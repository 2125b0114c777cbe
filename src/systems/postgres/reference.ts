// A connection reference (`env:NAME`, `file:PATH`) becomes a connection target. What the variable or file holds is never shown.
import { toError } from '../../kernel/errors.js';
import type { ConnectionTarget } from './connection.js';

/**
 * Resolves a reference. Throws CONNECTION_REFERENCE_INVALID for anything but `env:NAME` and `file:PATH`, for a variable or file that is
 * missing, and for content that is no postgres:// URL. The error names the reference, unless the reference itself may be a secret.
 */
export async function resolveConnection(
  reference: string,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => Promise<string>,
): Promise<ConnectionTarget> {
  const [, kind, rest] = /^(env|file):(.+)$/s.exec(reference) ?? [];
  const variable = kind === 'env' && rest !== undefined && /^[A-Za-z_][A-Za-z0-9_]*$/.test(rest);
  // A URL behind `file:` is somebody's connection string in the wrong place.
  const path = kind === 'file' && rest !== undefined && !/:\/\/|[\0\n\r]/.test(rest);
  if (!variable && !path) throw toError('CONNECTION_REFERENCE_INVALID', { name: '[not shown]' });
  const text = variable ? env[rest] : await readFile(rest ?? '').catch(() => undefined);
  const url = text?.trim();
  if (!url || !isPostgresUrl(url)) throw toError('CONNECTION_REFERENCE_INVALID', { name: reference });
  return { name: reference, url };
}

function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//i.test(text) && !/\s/.test(text) && URL.canParse(text);
}
