// What whoever starts the service is told. The one-time token is shown on a terminal only; elsewhere it goes into a file that nobody else can read.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { toFindings, toKnownError } from '../kernel/errors.js';
import type { Service } from './service.js';

export function announce({ url, firstToken }: Service, home: string, terminal: boolean, say: (line: string) => void): void {
  say(`bauta is ready: ${url}`);
  say(`the API:        ${url}/openapi (a token is the password; any user name)`);
  const path = join(home, 'first-token');
  rmSync(path, { force: true });
  if (firstToken === undefined) return;
  const command = `node dist/src/cli.js apikeys make ada --server ${url} --token`;
  if (terminal) say(`one-time token: ${firstToken}`);
  else {
    // With a metadata database of its own elsewhere nothing else may have made it yet.
    mkdirSync(home, { recursive: true, mode: 0o700 });
    writeFileSync(path, `${firstToken}\n`, { mode: 0o600, flag: 'wx' });
    say(`one-time token: in ${path}`);
  }
  say(`It makes the first administrator and the key of that one, once, within 15 minutes; in another terminal:`);
  say(terminal ? `  read -rs TOKEN; export TOKEN; ${command} env:TOKEN` : `  ${command} file:${path}`);
}

/** Why the service does not start; gives the exit code, which is the command line's. */
export function tellWhyNot(error: unknown, say: (line: string) => void): number {
  const { code, message, hint, class: kind } = toKnownError(error);
  for (const finding of toFindings(error)) if (finding.code !== code) say(`error ${finding.code}: ${finding.message}\n    ${finding.hint}`);
  say(`error: ${code}: ${message}\nhint:  ${hint}`);
  return kind === 'InputError' ? 3 : 1;
}
