// How the words and scores of tools become one of six severities. docs/evidence.md has the table, and a test holds it to this.
import type { Severity } from './scan.js';

/** Words of Trivy, Grype, Checkov, CycloneDX, SARIF's levels and dbt's, in lower case. */
export const severityWords: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  high: 'high',
  error: 'high',
  fail: 'high',
  medium: 'medium',
  moderate: 'medium',
  warning: 'medium',
  warn: 'medium',
  low: 'low',
  note: 'low',
  minor: 'low',
  negligible: 'low',
  info: 'none',
  informational: 'none',
  none: 'none',
};

export function toSeverity(word: string | null): Severity {
  return severityWords[word?.toLowerCase() ?? ''] ?? 'unknown';
}

/** A CVSS score, as CVSS v3.1 section 5 and v4.0 section 6 name its ranges; GitHub's `security-severity` is one. */
export function scoreToSeverity(score: number): Severity {
  if (!(score >= 0 && score <= 10)) return 'unknown';
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'none';
}

/** InSpec's impact of a control, from 0 to 1. */
export function impactToSeverity(impact: number | null): Severity {
  return impact === null ? 'unknown' : scoreToSeverity(impact * 10);
}
