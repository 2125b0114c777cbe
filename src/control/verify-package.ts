// A package, checked with the file and a key and nothing else: every byte of the archive, every file against the manifest, the log and who signed it,
// the proof that the log was told of the manifest; and then everything is made anew from the log in the package and compared.
import { digestBytes } from '../kernel/digest.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import {
  type ChainReport,
  type JudgedWitnessed,
  type LogFiles,
  type TrustPolicy,
  judgeWitnessed,
  parseCheckpoint,
  parseWitnessed,
  verifyChain,
  verifyProof,
} from '../pipeline/audit/audit.js';
import type { Checkpoint } from '../pipeline/event.js';
import { reportNames } from '../pipeline/report/report.js';
import { ZipReader, ZipWriter } from '../systems/zip/zip.js';
import type { Asked } from './look-at-log.js';
import { MANIFEST, POLICY, PROOF, type Render, WITNESSED, fill } from './make-package.js';

export interface PackageReport {
  /** Of severity error: what is not as it was made. */
  readonly findings: readonly Finding[];
  readonly checkpoint: Checkpoint | null;
  /** Where the log tells of the manifest. */
  readonly entry: number | null;
  readonly manifest: string | null;
  readonly files: number;
  readonly signatureChecked: boolean;
  /** Of the policy that was given, who has cosigned a checkpoint that covers what was read. */
  readonly cosigned: JudgedWitnessed['cosigned'];
  /** Where such checkpoints were put, as the package says: nobody looked there. */
  readonly anchored: JudgedWitnessed['anchored'];
}

interface Manifest extends Omit<Asked, 'declared'> {
  readonly format: string;
  readonly upTo: { readonly log: string; readonly size: number; readonly asOf: string };
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly digest: string }[];
}

interface Checking {
  readonly verifier: Verifier | undefined;
  /** Of whoever checks: with it the cosignatures are checked, and the key of the log is its, unless another was given. */
  readonly policy?: TrustPolicy;
  readonly version: string;
  readonly render: Render;
}

/** `version`: of who checks; a package of another is not made anew. Throws PACKAGE_UNREADABLE. */
export async function verifyPackage(path: string, { verifier: given, policy, version, render }: Checking): Promise<PackageReport> {
  const zip = await ZipReader.open(path);
  const verifier = given ?? (zip && policy ? await findLogKey(zip, policy) : undefined);
  const none = {
    ...{ checkpoint: null, entry: null, manifest: null, files: 0, signatureChecked: verifier !== undefined },
    ...{ cosigned: [], anchored: [] },
  };
  if (!zip) return { ...none, findings: [toFinding('PACKAGE_BYTES_DIFFER', { file: path })] };
  try {
    if (!(await zip.isCanonical())) return { ...none, findings: [toFinding('PACKAGE_BYTES_DIFFER', { file: path })] };
    const bytes = await zip.read(MANIFEST);
    const manifest = bytes && parseManifest(bytes);
    if (!bytes || !manifest) return { ...none, findings: [toFinding('PACKAGE_FILE_MISSING', { file: MANIFEST })] };
    const digest = digestBytes(bytes);
    const files = toLogFiles(zip);
    const chain = await verifyChain(files, { known: [], ...(verifier ? { verifier } : {}) });
    const proved = await checkProof(zip, digest, verifier, chain.checkpoint);
    const seen = await judge(zip, files, { manifest, chain, ...(verifier ? { verifier } : {}), ...(policy ? { policy } : {}) });
    const findings = [...(await compareFiles(zip, manifest)), ...chain.findings, ...proved.findings, ...seen.findings];
    const sound = !findings.some(({ severity }) => severity === 'error');
    // What is known to be wrong is not read any further.
    const rebuilt = sound ? await rebuild(zip, files, manifest, { version, render }) : [];
    return {
      ...{ ...none, files: manifest.files.length, manifest: digest, checkpoint: chain.checkpoint, entry: proved.entry },
      ...{ cosigned: seen.cosigned, anchored: seen.anchored },
      findings: [...findings, ...rebuilt],
    };
  } finally {
    await zip.close();
  }
}

/** That of the policy which names the newest log in the package; else the first, and what is found says that it is another. */
async function findLogKey(zip: ZipReader, { logs }: TrustPolicy): Promise<Verifier | undefined> {
  const names = [...zip.entries.keys()].filter((name) => /^log\/[^/]+\/checkpoint$/.test(name)).sort();
  const note = names.length === 0 ? undefined : await zip.read(names.at(-1)!);
  return logs.find(({ name }) => note?.toString('utf8').startsWith(`${name}/`)) ?? logs[0];
}

async function judge(
  zip: ZipReader,
  files: LogFiles,
  {
    manifest,
    chain,
    ...checks
  }: { readonly manifest: Manifest; readonly chain: ChainReport; readonly verifier?: Verifier; readonly policy?: TrustPolicy },
): Promise<JudgedWitnessed> {
  const { log, size } = manifest.upTo;
  const checkpoint = parseCheckpoint(((await files.read(`${log}/checkpoint`)) ?? Buffer.alloc(0)).toString('utf8')) ?? chain.checkpoint;
  const witnessed = parseWitnessed(((await zip.read(WITNESSED)) ?? Buffer.alloc(0)).toString('utf8'));
  if (!checkpoint || !witnessed) return { findings: [toFinding('PACKAGE_FILE_MISSING', { file: WITNESSED })], cosigned: [], anchored: [] };
  return judgeWitnessed(witnessed, { files, cut: { log, read: size, checkpoint }, file: WITNESSED }, checks);
}

function parseManifest(bytes: Buffer): Manifest | undefined {
  try {
    const manifest = JSON.parse(bytes.toString('utf8')) as Partial<Manifest>;
    const { format, files, period, report, upTo, product, workspace } = manifest;
    const isWhole = format === 'bauta-package/1' && Array.isArray(files) && reportNames.some((name) => name === report);
    const isNamed = typeof period?.from === 'string' && typeof period.to === 'string' && typeof period.zone === 'string';
    const isOf =
      typeof upTo?.log === 'string' &&
      typeof upTo.size === 'number' &&
      typeof upTo.asOf === 'string' &&
      typeof product?.version === 'string';
    return isWhole && isNamed && isOf && typeof workspace === 'string' ? (manifest as Manifest) : undefined;
  } catch {
    return undefined;
  }
}

async function compareFiles(zip: ZipReader, { files }: Manifest): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const listed = new Set([MANIFEST, PROOF]);
  for (const { name, bytes, digest } of files) {
    listed.add(name);
    const entry = zip.entries.get(name);
    if (!entry) findings.push(toFinding('PACKAGE_FILE_MISSING', { file: name }));
    else if (entry.bytes !== bytes || (await zip.digest(name)) !== digest) findings.push(toFinding('PACKAGE_FILE_CHANGED', { file: name }));
  }
  for (const name of zip.entries.keys()) if (!listed.has(name)) findings.push(toFinding('PACKAGE_FILE_MISSING', { file: name }));
  return findings;
}

async function checkProof(
  zip: ZipReader,
  manifest: string,
  verifier: Verifier | undefined,
  checkpoint: Checkpoint | null,
): Promise<{ readonly findings: readonly Finding[]; readonly entry: number | null }> {
  const proof = verifyProof(((await zip.read(PROOF)) ?? Buffer.alloc(0)).toString('utf8'), PROOF, verifier);
  if (proof.findings.length > 0) return { findings: proof.findings, entry: null };
  const unproved = (name: string): Finding => toFinding('PACKAGE_UNPROVED', { name });
  const { event } = proof;
  const origin = (of: Checkpoint | null): string => of?.origin.slice(0, of.origin.lastIndexOf('/')) ?? '';
  if (event?.type !== 'report.made' || event.data?.['manifest'] !== manifest)
    return { findings: [unproved('the entry tells of another one')], entry: null };
  if (origin(proof.checkpoint) !== origin(checkpoint)) return { findings: [unproved('the entry is of another log')], entry: null };
  return { findings: [], entry: proof.entry };
}

async function rebuild(
  zip: ZipReader,
  files: LogFiles,
  manifest: Manifest,
  { version, render }: { readonly version: string; readonly render: Render },
): Promise<readonly Finding[]> {
  if (manifest.product.version !== version) return [toFinding('PACKAGE_NOT_REBUILT', { name: manifest.product.version }, 'warning')];
  const { report, period, workspace, product, upTo } = manifest;
  const note = ((await files.read(`${upTo.log}/checkpoint`)) ?? Buffer.alloc(0)).toString('utf8');
  const again = await ZipWriter.open();
  try {
    const declared = JSON.parse(((await zip.read('declared.json')) ?? Buffer.alloc(0)).toString('utf8')) as Asked['declared'];
    const witnessed = parseWitnessed(((await zip.read(WITNESSED)) ?? Buffer.alloc(0)).toString('utf8'))!;
    const policy = (await zip.read(POLICY))?.toString('utf8') ?? null;
    const asked = { report, period, workspace, product, declared };
    await fill(again, files, { asked, end: { log: upTo.log, size: upTo.size }, asOf: upTo.asOf, note, witnessed, policy }, render);
    const made = new Map(again.entries.map(({ name, digest }) => [name, digest]));
    const wrong = manifest.files.filter(({ name, digest }) => made.get(name) !== digest).map(({ name }) => name);
    const more = again.entries.filter(({ name }) => !zip.entries.has(name)).map(({ name }) => name);
    return [...wrong, ...more].map((file) => toFinding('PACKAGE_NOT_REPRODUCED', { file }));
  } catch {
    return [toFinding('PACKAGE_NOT_REPRODUCED', { file: MANIFEST })];
  } finally {
    await again.close();
  }
}

/** The log in the package, as a checker reads files. */
function toLogFiles(zip: ZipReader): LogFiles {
  const folders = new Map<string, Set<string>>();
  for (const name of zip.entries.keys()) {
    const parts = name.split('/');
    for (let i = 1; parts[0] === 'log' && i < parts.length; i++) {
      const folder = parts.slice(1, i).join('/');
      folders.set(folder, (folders.get(folder) ?? new Set()).add(parts[i]!));
    }
  }
  return {
    read: (path) => zip.read(`log/${path}`),
    list: (path) => Promise.resolve([...(folders.get(path) ?? [])]),
  };
}
