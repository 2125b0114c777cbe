// Names and patterns inside a definition: are they names as SQL writes them?
import { type Finding, toFinding } from '../kernel/errors.js';
import { toPointer } from '../kernel/json-pointer.js';
import { parseNamePattern, parseSqlName } from '../kernel/sql-name.js';
import type { Definition } from '../pipeline/definition.js';
import { toLine, toSafePath } from './validate.js';
import type { Tree } from './yaml-tree.js';

export function findNameProblems(definition: Definition, tree: Tree, file: string): readonly Finding[] {
  const findings: Finding[] = [];
  const refuse = (pointer: string): void => {
    findings.push(toFinding('DOCUMENT_NAME_INVALID', { file, line: toLine(tree.lines, pointer), path: toSafePath(pointer) }));
  };
  const names = (keys: Iterable<string>, parts: readonly number[], ...at: readonly string[]): void => {
    for (const key of keys) if (!parts.includes(parseSqlName(key)?.length ?? 0)) refuse(toPointer(...at, key));
  };
  const patterns = (list: readonly string[], ...at: readonly (string | number)[]): void => {
    for (const [i, pattern] of list.entries()) if (parseNamePattern(pattern) === undefined) refuse(toPointer(...at, i));
  };
  if (definition.kind === 'Pipeline') {
    names(Object.keys(definition.tables ?? {}), [1, 2], 'tables');
    patterns(definition.include ?? [], 'include');
    patterns(definition.exclude ?? [], 'exclude');
    for (const [i, override] of (definition.overrides ?? []).entries()) patterns(override.columns, 'overrides', i, 'columns');
  } else if (definition.kind === 'Classification') {
    names(Object.keys(definition.tables), [1, 2], 'tables');
    for (const [key, table] of Object.entries(definition.tables)) {
      names(Object.keys(table.columns ?? {}), [1], 'tables', key, 'columns');
      for (const [i, keep] of (table.keep ?? []).entries()) patterns(keep.columns, 'tables', key, 'keep', i, 'columns');
    }
    for (const key of Object.keys(definition.patterns ?? {})) if (parseNamePattern(key) === undefined) refuse(toPointer('patterns', key));
  }
  return findings;
}
