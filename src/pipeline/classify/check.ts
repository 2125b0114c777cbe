// Is every column of a schema tagged or kept, and confirmed where only a pattern speaks of it? Needs no row.
import { type Finding, sortFindings } from '../../kernel/errors.js';
import { toSqlName } from '../../kernel/sql-name.js';
import type { Catalogue } from '../catalogue.js';
import type { Guess } from './detect.js';
import { type ResolveInput, resolveTags } from './resolve.js';
import { suggest } from './suggest.js';

export interface CheckedFinding extends Finding {
  /** What the column's name and type suggest, for a column that nobody spoke of. */
  readonly suggestion?: Guess;
}

/** All findings, sorted; a column that is new carries the tag that its name and type suggest. */
export function check(input: ResolveInput, catalogue: Catalogue): readonly CheckedFinding[] {
  const suggestions = new Map(
    suggest(catalogue)
      .filter(({ path }) => path === undefined)
      .map((suggestion) => [toSqlName(suggestion.schema, suggestion.table, suggestion.column), suggestion] as const),
  );
  return sortFindings(resolveTags(input).findings).map((finding): CheckedFinding => {
    const { schema = '', table = '', column } = finding.where;
    if ((finding.code !== 'COLUMN_UNTAGGED' && finding.code !== 'COLUMN_UNCONFIRMED') || column === undefined) return finding;
    const found = suggestions.get(toSqlName(schema, table, column));
    if (!found) return { ...finding, hint: `${finding.hint}; its name and type suggest no tag` };
    const { tag, rule, confidence } = found;
    return {
      ...finding,
      hint: `${finding.hint}; suggested: ${tag} (${rule}, ${confidence.toFixed(2)})`,
      suggestion: { tag, rule, confidence },
    };
  });
}
