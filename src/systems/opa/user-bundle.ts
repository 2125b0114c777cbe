// A bundle of the users' own, in OPA's format: what it has to hold to be used here, and what is refused.
import { digestBytes } from '../../kernel/digest.js';
import { toError } from '../../kernel/errors.js';
import { readArchive } from './archive.js';
import { signaturesPath, verifyBundle } from './bundle-signature.js';
import { parseNotation } from './notation.js';
import { RegoObject, toJson, type Value } from './value.js';

/** Where a bundle says no to a plan, and to a deployment: packages `bauta.provision` and `bauta.deploy`, rule `deny`. */
export const userEntrypoints = { provision: 'bauta/provision/deny', deploy: 'bauta/deploy/deny' } as const;

export interface UserBundle {
  readonly revision: string;
  /** Digest of the archive. */
  readonly digest: string;
  readonly wasm: Uint8Array;
  /** JSON text of the base document. */
  readonly data: string;
  readonly entrypoints: readonly string[];
  /** Rules and all else that it holds, by path. */
  readonly files: ReadonlyMap<string, Buffer>;
}

export interface Trust {
  /** A public key or certificate in PEM, or a JWK; undefined: none is set. */
  readonly key: string | undefined;
  /** Why one without a signature is taken; empty: it is not. */
  readonly unsignedReason: string;
}

interface Manifest {
  readonly revision: string;
  readonly roots: readonly string[];
  readonly wasm: readonly { readonly entrypoint: string; readonly module: string }[];
}

/** `trust` undefined: nothing will be decided by it. Throws POLICY_BUNDLE_*. What it calls is looked at when it is loaded. */
export async function parseUserBundle(packed: Uint8Array, trust: Trust | undefined, wanted?: string): Promise<UserBundle> {
  const files = await readArchive(packed);
  if (trust) checkTrust(files, trust);
  const manifest = parseManifest(files.get('.manifest'));
  const modules = new Set(manifest.wasm.map(({ module }) => module.replace(/^\//, '')));
  const [path] = modules;
  const wasm = path === undefined ? files.get('policy.wasm') : files.get(path);
  if (wasm === undefined) throw toError('POLICY_BUNDLE_WITHOUT_WASM', { name: wanted ?? userEntrypoints.provision });
  if (modules.size > 1) throw toError('POLICY_BUNDLE_UNREADABLE', { expected: 'one module for all entrypoints' });
  const entrypoints = manifest.wasm.map(({ entrypoint }) => entrypoint);
  const known = Object.values(userEntrypoints).filter((name) => entrypoints.includes(name));
  if (wanted === undefined ? known.length === 0 : !entrypoints.includes(wanted))
    throw toError('POLICY_BUNDLE_ENTRYPOINT', { name: wanted ?? Object.values(userEntrypoints).join(' or ') });
  return { revision: manifest.revision, digest: digestBytes(packed), wasm, data: readData(files, manifest.roots), entrypoints, files };
}

function checkTrust(files: ReadonlyMap<string, Buffer>, { key, unsignedReason }: Trust): void {
  const isSigned = files.has(signaturesPath);
  if (key !== undefined && isSigned) return verifyBundle(files, key);
  // A signature that nobody can check is not taken for a good one, and where a key is set nothing goes without.
  if (key !== undefined || isSigned || unsignedReason === '') throw toError('POLICY_BUNDLE_UNSIGNED');
}

function parseManifest(bytes: Buffer | undefined): Manifest {
  const refuse = (): never => {
    throw toError('POLICY_BUNDLE_UNREADABLE', { expected: 'a .manifest as opa build writes it' });
  };
  let value: unknown;
  try {
    value = JSON.parse((bytes ?? Buffer.from('{}')).toString('utf8'));
  } catch {
    return refuse();
  }
  const { revision = '', roots = [''], wasm = [] } = (value ?? {}) as { revision?: unknown; roots?: unknown; wasm?: unknown };
  if (typeof revision !== 'string' || !Array.isArray(roots) || !Array.isArray(wasm)) return refuse();
  if (!roots.every((root) => typeof root === 'string')) return refuse();
  const names = roots.map((root) => root.replace(/^\/|\/$/g, ''));
  if (names.some((root, at) => names.some((other, place) => at !== place && isBelow(root, other)))) {
    throw toError('POLICY_BUNDLE_UNREADABLE', { expected: 'roots of which none is within another' });
  }
  for (const one of wasm as Partial<Manifest['wasm'][number]>[])
    if (typeof one?.entrypoint !== 'string' || typeof one.module !== 'string') refuse();
  return { revision, roots: names, wasm: wasm as Manifest['wasm'] };
}

function isBelow(path: string, root: string): boolean {
  return root === '' || path === root || path.startsWith(`${root}/`);
}

/** The data of all folders as one document; each has to lie below a root. */
function readData(files: ReadonlyMap<string, Buffer>, roots: readonly string[]): string {
  let whole: Value = new RegoObject();
  for (const [path, content] of files) {
    const [, folder = ''] = /^(?:(.*)\/)?data\.json$/.exec(path) ?? [];
    if (/(?:^|\/)data\.ya?ml$/.test(path)) throw toError('POLICY_BUNDLE_UNREADABLE', { expected: 'data as JSON, as opa build writes it' });
    if (!/(?:^|\/)data\.json$/.test(path)) continue;
    let value: Value;
    try {
      value = parseNotation(content.toString('utf8'), true);
    } catch {
      throw toError('POLICY_BUNDLE_UNREADABLE', { expected: 'data that is JSON' });
    }
    const names = folder === '' ? [] : folder.split('/');
    whole = merge(
      whole,
      names.reduceRight((inner: Value, name) => new RegoObject([[name, inner]]), value),
    );
  }
  for (const path of leavesOf(whole, '')) {
    if (!roots.some((root) => isBelow(path, root)))
      throw toError('POLICY_BUNDLE_UNREADABLE', { expected: 'data below the roots of the manifest' });
  }
  return toJson(whole);
}

function merge(a: Value, b: Value): Value {
  if (!(a instanceof RegoObject) || !(b instanceof RegoObject)) return b;
  const merged = b.entries().map(([key, item]) => {
    const other = a.get(key);
    return [key, other === undefined ? item : merge(other, item)] as const;
  });
  return new RegoObject([...a.entries(), ...merged]);
}

function leavesOf(value: Value, path: string): string[] {
  if (!(value instanceof RegoObject) || value.size === 0) return path === '' ? [] : [path];
  // Keys of JSON are texts.
  return value.entries().flatMap(([key, item]) => leavesOf(item, path === '' ? (key as string) : `${path}/${key as string}`));
}
