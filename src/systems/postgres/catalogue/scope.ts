// Which objects the patterns choose, what those need beside them, and what of it cannot come along.
import { type Finding, toFinding } from '../../../kernel/errors.js';
import type { SourceScope } from '../../../pipeline/ports.js';
import type { Dependencies } from './dependencies.js';

/** One object as the choice sees it. */
export interface Candidate {
  readonly label: string;
  /** `schema.name`, unquoted, which patterns are held against; null for what is in no schema. */
  readonly path: string | null;
  /** Tables and views are chosen by patterns only; anything else comes along when it is needed. */
  readonly relation: boolean;
  /** Label of the table it is a piece of (constraint, index, default, trigger, owned sequence): it goes where that goes. */
  readonly pieceOf?: string;
  /** Chosen only when needed (an extension that the target may not offer, a cast). */
  readonly onlyWhenNeeded?: boolean;
}

export interface Choice {
  readonly labels: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/** `schema.table` with `*` for any run of characters; `exclude` wins, no `include` is everything. */
export function toScopeTest(scope: SourceScope): (path: string) => 'in' | 'out' | 'excluded' {
  const test = (patterns: readonly string[]): ((path: string) => boolean) => {
    const expressions = patterns.map(
      (pattern) => new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 's'),
    );
    return (path) => expressions.some((expression) => expression.test(path));
  };
  const included = test(scope.include);
  const excluded = test(scope.exclude);
  return (path) => (excluded(path) ? 'excluded' : scope.include.length === 0 || included(path) ? 'in' : 'out');
}

export function chooseInScope(candidates: readonly Candidate[], dependencies: Dependencies, scope: SourceScope): Choice {
  const test = toScopeTest(scope);
  const byLabel = new Map(candidates.map((candidate) => [candidate.label, candidate]));
  const pieces = new Map<string, string[]>();
  for (const { label, pieceOf } of candidates) if (pieceOf !== undefined) pieces.set(pieceOf, [...(pieces.get(pieceOf) ?? []), label]);
  const labels = new Set<string>();
  const findings: Finding[] = [];
  const queue: string[] = [];
  const add = (label: string): void => {
    if (labels.has(label)) return;
    labels.add(label);
    queue.push(label);
    for (const piece of pieces.get(label) ?? []) add(piece);
  };
  for (const candidate of candidates) {
    if (candidate.pieceOf !== undefined || candidate.onlyWhenNeeded) continue;
    if (candidate.path === null || test(candidate.path) === 'in') add(candidate.label);
  }
  for (let label = queue.shift(); label !== undefined; label = queue.shift()) {
    for (const needed of dependencies[label] ?? []) {
      const other = byLabel.get(needed);
      if (!other || labels.has(needed)) continue;
      const owner = other.pieceOf === undefined ? other : byLabel.get(other.pieceOf);
      const state = owner === undefined || owner.path === null ? 'out' : test(owner.path);
      if (owner?.relation || state === 'excluded') {
        findings.push(toFinding('SCHEMA_NEEDS_OUT_OF_SCOPE', { object: label, name: owner?.label ?? needed }));
      } else add(needed);
    }
  }
  return { labels, findings };
}
