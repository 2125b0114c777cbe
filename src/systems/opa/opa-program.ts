// The `opa` program, for who writes rules: it compiles and tests them. Deciding never needs it. What it says of somebody's own rules goes to his own stderr and
// nowhere else.
import { spawnSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';

import { toError } from '../../kernel/errors.js';
import { packageFile } from '../../kernel/package-root.js';
import { PolicyThread } from './policy-thread.js';
import { parseUserBundle, userEntrypoints } from './user-bundle.js';

export interface RuleTest {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly passed: boolean;
}

export interface Built {
  readonly file: string;
  readonly revision: string;
  readonly digest: string;
  readonly bytes: number;
  readonly entrypoints: readonly string[];
  readonly signed: boolean;
  /** Version of the program. */
  readonly opa: string;
}

const limitMs = 300_000;

function runOpa(words: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const { status, stdout, stderr, error } = spawnSync('opa', words, { encoding: 'utf8', maxBuffer: 1 << 28, timeout: limitMs });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') throw toError('OPA_MISSING');
  // To who runs it, of his own rules, and to nobody else.
  process.stderr.write(stderr);
  return { status, stdout };
}

/** Throws OPA_MISSING. */
function readVersion(): string {
  return /^Version: (\S+)$/m.exec(runOpa(['version']).stdout)?.[1] ?? 'unknown';
}

/** Every test of the rules in a folder, by `opa test`. Throws OPA_MISSING, or OPA_REFUSED when the rules do not compile. */
export function testRules(folder: string): readonly RuleTest[] {
  readVersion();
  const { status, stdout } = runOpa(['test', '--format', 'json', '--bundle', folder]);
  let found: unknown;
  try {
    found = JSON.parse(stdout === '' ? 'null' : stdout);
  } catch {
    found = undefined;
  }
  // No test at all is null and 0; 2 is that one failed.
  if (!(status === 0 || status === 2) || !(found === null || Array.isArray(found))) throw toError('OPA_REFUSED', { name: 'opa test' });
  return ((found ?? []) as readonly Readonly<Record<string, unknown>>[]).map((test) => {
    const { file, row } = (test['location'] ?? {}) as { readonly file?: unknown; readonly row?: unknown };
    const failed = test['fail'] === true || test['error'] !== undefined || test['skip'] === true;
    return { name: `${String(test['package'])}.${String(test['name'])}`, file: String(file), line: Number(row), passed: !failed };
  });
}

/**
 * The rules in a folder as a bundle that is in force nowhere yet: compiled, with manifest, signed where a key is given (PEM of a private key). It is
 * loaded as a decision would load it. Throws OPA_MISSING, OPA_REFUSED, POLICY_*.
 */
export async function buildBundle(
  folder: string,
  out: string,
  { key, revision = revisionOf(folder) }: { readonly key?: string; readonly revision?: string } = {},
): Promise<Built> {
  const opa = readVersion();
  const entrypoints = Object.values(userEntrypoints).filter((name) => hasPackage(folder, name));
  if (entrypoints.length === 0) throw toError('POLICY_BUNDLE_ENTRYPOINT', { name: Object.values(userEntrypoints).join(' or ') });
  const signer = key === undefined ? undefined : readKey(key);
  const scratch = mkdtempSync(join(tmpdir(), 'bauta-bundle-'));
  try {
    const signing = signer ? ['--signing-key', writeKey(scratch, signer.key), '--signing-alg', signer.algorithm] : [];
    const places = entrypoints.flatMap((name) => ['-e', name]);
    const capabilities = packageFile('policies', 'capabilities.json');
    const words = [
      'build',
      '-t',
      'wasm',
      ...places,
      '--capabilities',
      capabilities,
      '-b',
      folder,
      '--ignore',
      '*_test.rego',
      '-r',
      revision,
      ...signing,
    ];
    const { status, stdout } = runOpa([...words, '-o', out]);
    if (status !== 0) {
      // That is where this one says what is wrong.
      process.stderr.write(stdout);
      throw toError('OPA_REFUSED', { name: 'opa build' });
    }
    const bytes = readFileSync(out);
    const trust = signer ? { key: publicPem(signer.key), unsignedReason: '' } : undefined;
    const { wasm, data, digest } = await parseUserBundle(bytes, trust);
    const thread = new PolicyThread({ wasm, data, entrypoints }, limitMs);
    await thread.start().finally(() => thread.close());
    return { file: out, revision, digest, bytes: bytes.length, entrypoints, signed: signer !== undefined, opa };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

interface Signer {
  readonly key: KeyObject;
  readonly algorithm: string;
}

function readKey(text: string): Signer {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    throw toError('POLICY_SIGNING_KEY_UNUSABLE');
  }
  const curves: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };
  const kind = key.asymmetricKeyType;
  const algorithm =
    kind === 'rsa'
      ? 'RS256'
      : kind === 'ed25519'
        ? 'EdDSA'
        : kind === 'ec'
          ? curves[key.asymmetricKeyDetails?.namedCurve ?? '']
          : undefined;
  if (algorithm === undefined) throw toError('POLICY_SIGNING_KEY_UNUSABLE');
  return { key, algorithm };
}

/** For the program alone, in a folder that is ours and goes away. */
function writeKey(scratch: string, key: KeyObject): string {
  const path = join(scratch, 'key.pem');
  const type = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs8';
  writeFileSync(path, key.export({ type: type, format: 'pem' }), { mode: 0o600 });
  return path;
}

const publicPem = (key: KeyObject): string => createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string;

/** Rules and data of a folder, sorted by path; tests are none of them. */
function listSources(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?<!_test)\.rego$|(^|[\\/])data\.json$/.test(name))
    .sort();
}

const hasPackage = (folder: string, entrypoint: string): boolean => {
  const name = entrypoint.split('/').slice(0, -1).join('.');
  return listSources(folder).some(
    (path) => path.endsWith('.rego') && readFileSync(join(folder, path), 'utf8').split(/\r?\n/).includes(`package ${name}`),
  );
};

/** A function of the sources alone, so that anyone can make it anew. */
function revisionOf(folder: string): string {
  const sum = createHash('sha256');
  for (const path of listSources(folder))
    sum
      .update(`${path.split(sep).join('/')}\0`)
      .update(readFileSync(join(folder, path)))
      .update('\0');
  return sum.digest('hex').slice(0, 16);
}
