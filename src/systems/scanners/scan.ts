// What a report of a scanner or a test says, whatever its format: which rules ran on what, and what they found. Texts of findings stay behind:
// a secret scanner quotes secrets.
import { createHash } from 'node:crypto';

export const severities = ['critical', 'high', 'medium', 'low', 'none', 'unknown'] as const;
export type Severity = (typeof severities)[number];

export interface ScanFinding {
  /** Of the rule or the vulnerability, as the tool names it. */
  readonly rule: string;
  readonly severity: Severity;
  /** A version without it is published, or a change is described. */
  readonly fixable: boolean;
  /** Package and version, file and line, resource, test: coordinates. */
  readonly place: string;
  /** 32 hex digits of SHA-256 over rule and place without line and version: the same finding in the next report. */
  readonly fingerprint: string;
  /** `suppressed`: the report itself sets it aside, and says so. */
  readonly state: 'open' | 'suppressed';
}

/** What the report itself says it looked at. */
export interface ScanSubject {
  readonly kind: 'image' | 'repository' | 'files' | 'component' | 'cluster';
  readonly name: string | null;
  /** `sha256:…`, lower case. */
  readonly digests: readonly string[];
  /** Commit. */
  readonly revision: string | null;
}

/** Why a report without findings is none: what did not look found nothing. */
export type Missing = 'no-rules' | 'no-targets' | 'failed' | 'inventory-only';

export interface Scan {
  readonly tool: { readonly name: string; readonly version: string | null };
  readonly subjects: readonly ScanSubject[];
  /** Rules or tests that gave a result; null: the format does not say. */
  readonly rules: number | null;
  /** What was looked at: packages, files, resources; null: the format does not say. */
  readonly targets: number | null;
  /** Errors of the tool itself that it reports. */
  readonly errors: number;
  readonly findings: readonly ScanFinding[];
  readonly madeAt: string | null;
  /** Of the vulnerability database that was used. */
  readonly databaseAt: string | null;
  readonly missing: Missing | null;
}

export interface FoundBy {
  readonly rule: string;
  readonly severity: Severity;
  readonly place: string;
  /** The place that the next report will have, too; default: `place`. */
  readonly lasting?: string;
  readonly fixable?: boolean;
  readonly suppressed?: boolean;
}

const LONGEST = 300;

/** Gathers a scan while its report is read. */
export class Scanning {
  tool: { name: string; version: string | null } = { name: 'unknown', version: null };
  readonly subjects: ScanSubject[] = [];
  rules: number | null = null;
  targets: number | null = null;
  errors = 0;
  madeAt: string | null = null;
  databaseAt: string | null = null;
  missing: Missing | null = null;
  private readonly findings: ScanFinding[] = [];

  addRules(amount: number): void {
    this.rules = (this.rules ?? 0) + amount;
  }

  addTargets(amount: number): void {
    this.targets = (this.targets ?? 0) + amount;
  }

  add({ rule, severity, place, lasting = place, fixable = false, suppressed = false }: FoundBy): void {
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([rule, lasting]))
      .digest('hex')
      .slice(0, 32);
    const state = suppressed ? 'suppressed' : 'open';
    this.findings.push({ rule: toLine(rule), severity, fixable, place: toLine(place), fingerprint, state });
  }

  addSubject(subject: { kind: ScanSubject['kind']; name?: string | null; digests?: readonly string[]; revision?: string | null }): void {
    const { kind, name = null, revision = null, digests = [] } = subject;
    const cut = name === null ? null : toLine(name);
    this.subjects.push({ kind, name: cut, digests: [...new Set(digests.flatMap(toDigest))], revision });
  }

  end(): Scan {
    const { tool, subjects, rules, targets, errors, findings, madeAt, databaseAt } = this;
    const missing = this.missing ?? (rules === 0 ? 'no-rules' : targets === 0 ? 'no-targets' : null);
    return {
      tool: { name: toLine(tool.name), version: tool.version },
      subjects,
      rules,
      targets,
      errors,
      findings,
      madeAt,
      databaseAt,
      missing,
    };
  }
}

/** `sha256:…` wherever it stands in a reference to an image. */
function toDigest(text: string): readonly string[] {
  const [digest] = /sha256:[0-9a-f]{64}/i.exec(text) ?? [];
  return digest === undefined ? [] : [digest.toLowerCase()];
}

function toLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, LONGEST);
}
