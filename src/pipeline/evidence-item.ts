// What the deployment gate reads of evidence: one report, in counts. Its findings themselves, and the report, stay where they are kept.
import type { Json } from '../kernel/canonical-json.js';
import type { EvidenceSeverity, evidenceSubjects } from './definition.js';

/** What a report is about. */
export interface EvidenceSubject {
  readonly kind: (typeof evidenceSubjects)[number];
  /** 40 or 64 hexadecimal digits; `sha256:…`, the digest and never a tag; the name of an environment. */
  readonly value: string;
}

/** Who sent it, as the identity that was authenticated says: never as the report does. A member that the identity does not have is null. */
export interface EvidenceProducer {
  readonly issuer: string | null;
  /** Its number at the issuer, and its name, which may be given to another one. */
  readonly repository: string | null;
  readonly repositoryName: string | null;
  readonly ref: string | null;
  readonly workflow: string | null;
  /** Name of the person or service account that the token stands for. */
  readonly person: string | null;
}

export interface EvidenceItem {
  readonly id: string;
  /** The word of its form, such as `trivy` or `junit`. */
  readonly type: string;
  readonly tool: string | null;
  readonly subject: EvidenceSubject;
  readonly producer: EvidenceProducer;
  /** Of an attestation: the fingerprint of the key that signed it. */
  readonly attestor?: string;
  readonly receivedAtMs: number;
  /** When the report says that it was made; null: it does not say. */
  readonly madeAtMs: number | null;
  /** Of the vulnerabilities that the tool knew; null: it has none, or does not say. */
  readonly databaseAtMs: number | null;
  /** `empty`: it ran no rule or found no target: it is read as missing, never as clean. */
  readonly state: 'whole' | 'empty';
  /** Why it is empty, as a word. */
  readonly why: string | null;
  /** Findings that no waiver takes out at that moment, by severity. */
  readonly counts: Readonly<Record<EvidenceSeverity, number>>;
  /** Of the critical ones those that have a fix. */
  readonly fixableCriticals: number;
  /** Tests or controls that failed. */
  readonly failed: number;
  /** How many findings waivers took out, and when the first of those waivers ends; null: there is none. */
  readonly waived: number;
  readonly waivedUntilMs: number | null;
}

/** The newest report of each type and tool about each of these; what waivers take out is looked at as of `nowMs`. */
export type ReadEvidence = (workspaceId: string, subjects: readonly EvidenceSubject[], nowMs: number) => Promise<readonly EvidenceItem[]>;

export const toItemJson = (item: EvidenceItem): Json => ({
  ...item,
  subject: { ...item.subject },
  producer: { ...item.producer },
  counts: { ...item.counts },
});
