// The compiled policy as it is committed: read once, and refused unless every file is the one that the manifest names.
import { readFile, readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';

import { digestBytes } from '../../kernel/digest.js';
import { toError } from '../../kernel/errors.js';

export interface Bundle {
  readonly revision: string;
  /** Digest of the wasm. */
  readonly digest: string;
  /** The first is the gate's. */
  readonly entrypoints: readonly string[];
  readonly wasm: Uint8Array;
  /** Paths of the rules, which begin with `policies/`. */
  readonly sources: readonly string[];
}

interface Manifest {
  readonly revision: string;
  readonly entrypoints: readonly string[];
  readonly wasm: { readonly path: string; readonly digest: string };
  readonly sources: Readonly<Record<string, string>>;
}

/** `folder` is the folder `policies` of a package. Paths in the manifest begin with `policies/`, whatever the folder's own name is. */
export async function readBundle(folder: string): Promise<Bundle> {
  const manifest = parseManifest(await readPolicyFile(folder, 'policies/manifest.json'));
  const wasm = await readPolicyFile(folder, manifest.wasm.path);
  refuseUnless(digestBytes(wasm) === manifest.wasm.digest, manifest.wasm.path);
  for (const [path, digest] of Object.entries(manifest.sources)) {
    refuseUnless(digestBytes(await readPolicyFile(folder, path)) === digest, path);
  }
  // A rule that was added and not compiled would be believed to hold.
  for (const path of await listRules(folder)) refuseUnless(Object.hasOwn(manifest.sources, path), path);
  const { revision, entrypoints, sources } = manifest;
  return { revision, digest: manifest.wasm.digest, entrypoints, wasm, sources: Object.keys(sources) };
}

async function readPolicyFile(folder: string, path: string): Promise<Uint8Array> {
  const [first, ...names] = path.split('/');
  refuseUnless(first === 'policies' && !names.includes('..'), 'policies/manifest.json');
  try {
    return await readFile(join(folder, ...names));
  } catch {
    throw toError('POLICY_MISSING', { file: path });
  }
}

async function listRules(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego'))
    .map((name) => `policies/${name.split(sep).join('/')}`);
}

function refuseUnless(fits: boolean, file: string): void {
  if (!fits) throw toError('POLICY_DIGEST_DIFFERS', { file });
}

function parseManifest(bytes: Uint8Array): Manifest {
  const file = 'policies/manifest.json';
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw toError('POLICY_DIGEST_DIFFERS', { file });
  }
  const manifest = value as Partial<Manifest> | null;
  const entrypoints: unknown = manifest?.entrypoints;
  const texts = [
    manifest?.revision,
    ...(Array.isArray(entrypoints) && entrypoints.length > 0 ? (entrypoints as unknown[]) : [undefined]),
    manifest?.wasm?.path,
    manifest?.wasm?.digest,
  ];
  const sources: unknown = manifest?.sources;
  const whole = texts.every((text) => typeof text === 'string') && typeof sources === 'object' && sources !== null;
  refuseUnless(whole && Object.keys(sources).length > 0, file);
  return manifest as Manifest;
}
