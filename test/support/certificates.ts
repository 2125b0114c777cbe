// A certificate authority of a test's own, made by openssl: nothing that is trusted anywhere else, and no key in the repository.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Issued {
  readonly key: string;
  readonly cert: string;
  readonly keyFile: string;
  readonly certFile: string;
}

export interface Authority {
  /** The authority's certificate, PEM. */
  readonly ca: string;
  readonly caFile: string;
  /** For these names, as openssl writes them: `DNS:db.test`, `IP:127.0.0.1`. `days` below 0: it has ended. `subject`: its common name. */
  issue(names: readonly string[], days?: number, subject?: string): Issued;
  remove(): void;
}

export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'bauta-certificates-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const newKey = (file: string): readonly string[] => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    file,
  ];
  openssl('req', '-x509', ...newKey(at('ca.key')), '-subj', '/CN=test authority', '-days', '2', '-out', at('ca.crt'));
  let count = 0;
  return {
    ca: readFileSync(at('ca.crt'), 'utf8'),
    caFile: at('ca.crt'),
    issue: (names, days = 2, subject = 'test server') => {
      const id = `server-${++count}`;
      const [keyFile, certFile, request, extensions] = [at(`${id}.key`), at(`${id}.crt`), at(`${id}.csr`), at(`${id}.ext`)];
      writeFileSync(extensions, `subjectAltName=${names.join(',')}\n`);
      openssl('req', ...newKey(keyFile), '-subj', `/CN=${subject}`, '-out', request);
      const signed = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-set_serial', String(count + 1), '-extfile', extensions];
      openssl('x509', '-req', '-in', request, ...signed, '-days', String(days), '-out', certFile);
      return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8'), keyFile, certFile };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
