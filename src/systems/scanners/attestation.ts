// An in-toto statement in a DSSE envelope. Nothing of it is read before a key that somebody named has signed it, over the bytes that DSSE says (PAE).
// Keys are public ones in PEM: Ed25519, ECDSA (SHA-256) and RSA (PKCS #1 v1.5 or PSS, SHA-256).
import { type KeyObject, constants, createHash, createPublicKey, verify } from 'node:crypto';

import { toError } from '../../kernel/errors.js';
import { memberAt, parseJson, textAt } from '../../kernel/json-member.js';
import { toInstant } from './member.js';
import { type Scan, Scanning } from './scan.js';
import { scoreToSeverity, severityWords } from './severity.js';

export const attestationFormats = ['slsa-provenance', 'in-toto-vulns', 'in-toto-test-result', 'in-toto'] as const;
export type AttestationFormat = (typeof attestationFormats)[number];

export interface Attestation {
  readonly format: AttestationFormat;
  readonly scan: Scan;
  /** Fingerprint of the key: `sha256:…` over its SubjectPublicKeyInfo. */
  readonly attestor: string;
  /** All digests that its subjects have, each as `sha256:…` or as a commit. */
  readonly digests: ReadonlySet<string>;
}

const IN_TOTO = 'application/vnd.in-toto+json';
const LONGEST = /^[^\p{Cc}]{1,300}$/u;

/** Undefined: it is no public key in PEM. */
export function toFingerprint(pem: string): string | undefined {
  try {
    // A private key would give its public one: it has no business in a document.
    if (!/^-----BEGIN PUBLIC KEY-----/.test(pem.trim())) return undefined;
    const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' });
    return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
  } catch {
    return undefined;
  }
}

/** Throws SCAN_MALFORMED, and EVIDENCE_UNSIGNED where none of the keys signed it. */
export function openAttestation(envelope: Uint8Array, keys: readonly string[]): Attestation {
  const parsed = parseJson(envelope);
  const type = textAt(parsed, 'payloadType', LONGEST);
  const payload = textAt(parsed, 'payload', /^[A-Za-z0-9+/_=-]+$/);
  const signatures = memberAt(parsed, ['signatures']);
  if (type === undefined || payload === undefined || !Array.isArray(signatures)) throw malformed('the envelope', 'DSSE');
  const bytes = Buffer.from(payload, 'base64');
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${bytes.length} `), bytes]);
  const given = signatures.slice(0, 16).flatMap((one) => textAt(one, 'sig', /^[A-Za-z0-9+/_=-]{1,2000}$/) ?? []);
  const key = keys.find((pem) => given.some((one) => isBy(pem, signed, Buffer.from(one, 'base64'))));
  if (key === undefined) throw toError('EVIDENCE_UNSIGNED');
  const statement = parseJson(bytes);
  const isStatement = textAt(statement, '_type', /^https:\/\/in-toto\.io\/Statement\/v(1|0\.1)$/) !== undefined;
  const predicateType = textAt(statement, 'predicateType', LONGEST);
  if (type !== IN_TOTO || !isStatement || predicateType === undefined) throw malformed('the statement', 'in-toto statement');
  const scanning = new Scanning();
  const format = formatOf(predicateType);
  readers[format](scanning, memberAt(statement, ['predicate']), predicateType);
  return { format, scan: scanning.end(), attestor: toFingerprint(key) ?? '', digests: digestsOf(memberAt(statement, ['subject'])) };
}

function isBy(pem: string, signed: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key: KeyObject = createPublicKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return verify(null, signed, key, signature);
    if (key.asymmetricKeyType === 'ec') return verify('sha256', signed, key, signature);
    if (key.asymmetricKeyType !== 'rsa') return false;
    const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
    return verify('sha256', signed, key, signature) || verify('sha256', signed, pss, signature);
  } catch {
    return false;
  }
}

function digestsOf(subjects: unknown): ReadonlySet<string> {
  if (!Array.isArray(subjects)) return new Set();
  return new Set(
    subjects.flatMap((one) => {
      const sha256 = textAt(one, 'digest.sha256', /^[0-9a-f]{64}$/);
      const commits = ['gitCommit', 'sha1'].flatMap((name) => textAt(one, `digest.${name}`, /^([0-9a-f]{40}|[0-9a-f]{64})$/) ?? []);
      return [...(sha256 === undefined ? [] : [`sha256:${sha256}`]), ...commits];
    }),
  );
}

function formatOf(predicateType: string): AttestationFormat {
  if (/^https:\/\/slsa\.dev\/provenance\/v(1|0\.2)$/.test(predicateType)) return 'slsa-provenance';
  if (/^https:\/\/in-toto\.io\/attestation\/vulns(\/v0\.[12])?$/.test(predicateType)) return 'in-toto-vulns';
  return predicateType === 'https://in-toto.io/attestation/test-result/v0.1' ? 'in-toto-test-result' : 'in-toto';
}

type Read = (scanning: Scanning, predicate: unknown, predicateType: string) => void;
const readers: Readonly<Record<AttestationFormat, Read>> = {
  'slsa-provenance': readProvenance,
  'in-toto-vulns': readVulns,
  'in-toto-test-result': readTests,
  // What it says is not known here: that somebody said it is what is kept.
  'in-toto': (scanning, _, predicateType) => void (scanning.tool = { name: predicateType.slice(0, 200), version: null }),
};

/** Who built it, by the key that says so. */
function readProvenance(scanning: Scanning, predicate: unknown): void {
  const builder = textAt(predicate, 'runDetails.builder.id', LONGEST) ?? textAt(predicate, 'builder.id', LONGEST);
  if (builder === undefined) throw malformed('builder.id', 'SLSA provenance');
  scanning.tool = { name: builder.slice(0, 200), version: null };
  scanning.madeAt = toInstant(
    memberAt(predicate, ['runDetails', 'metadata', 'finishedOn']) ?? memberAt(predicate, ['metadata', 'buildFinishedOn']),
  );
}

function readVulns(scanning: Scanning, predicate: unknown): void {
  const results = memberAt(predicate, ['scanner', 'result']);
  if (!Array.isArray(results)) throw malformed('scanner.result', 'in-toto vulns');
  scanning.tool = {
    name: textAt(predicate, 'scanner.uri', LONGEST)?.slice(0, 200) ?? 'unknown',
    version: textAt(predicate, 'scanner.version', LONGEST) ?? null,
  };
  scanning.databaseAt = toInstant(memberAt(predicate, ['scanner', 'db', 'lastUpdate']));
  scanning.madeAt = toInstant(memberAt(predicate, ['metadata', 'scanFinishedOn']));
  for (const one of results as readonly unknown[]) {
    const levels = memberAt(one, ['severity']);
    const scores = (Array.isArray(levels) ? levels : []).flatMap((level) => memberAt(level, ['score']) ?? []);
    const numbers = scores.map(Number).filter((number) => number >= 0 && number <= 10);
    const word = scores.flatMap((score) => (typeof score === 'string' ? (severityWords[score.toLowerCase()] ?? []) : []))[0];
    const severity = numbers.length > 0 ? scoreToSeverity(Math.max(...numbers)) : (word ?? 'unknown');
    const rule = textAt(one, 'id', LONGEST);
    // A result that names nothing is still one.
    scanning.add({ rule: rule ?? 'unknown', severity, place: rule ?? 'unknown' });
  }
}

function readTests(scanning: Scanning, predicate: unknown): void {
  const names = (member: string): readonly string[] => {
    const list = memberAt(predicate, [member]) ?? [];
    if (!Array.isArray(list) || !list.every((one) => typeof one === 'string')) throw malformed(member, 'in-toto test result');
    return list;
  };
  const result = textAt(predicate, 'result', /^(PASSED|WARNED|FAILED)$/);
  if (result === undefined) throw malformed('result', 'in-toto test result');
  const [passed, warned, failed] = ['passedTests', 'warnedTests', 'failedTests'].map(names) as [string[], string[], string[]];
  scanning.tool = { name: 'in-toto-test-result', version: null };
  scanning.addRules(passed.length + warned.length + failed.length);
  for (const place of failed) scanning.add({ rule: 'test-failed', severity: 'high', place });
  // It says that something failed and not what: that is a failure too, and no report that ran nothing.
  if (result === 'FAILED' && failed.length === 0) {
    scanning.addRules(1);
    scanning.add({ rule: 'test-failed', severity: 'high', place: 'unnamed' });
  }
}

const malformed = (amount: string, name: string): Error => toError('SCAN_MALFORMED', { stage: 'gate', amount, name });
