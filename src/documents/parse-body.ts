// The body of a request as a plain value: the same parser and the same findings as a document's, so that nothing gets in here that could not get in there.
import type { Json } from '../kernel/canonical-json.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import { TEXT_LIMIT } from './read-text.js';
import type { Schema } from './schemas.js';
import { validateTree } from './validate.js';
import { REQUEST_NODE_LIMIT, parseTrees } from './yaml-tree.js';

/** One value, or findings. `strict`: the text MUST be JSON, not only YAML. */
export function parseBody(text: string, schema: Schema, strict = true): { readonly value?: Json; readonly findings: readonly Finding[] } {
  const file = 'request';
  if (text.length > TEXT_LIMIT) return { findings: [toFinding('DOCUMENT_TOO_LARGE', { file, amount: `${TEXT_LIMIT} bytes` })] };
  const { trees, findings } = parseTrees(text, file, REQUEST_NODE_LIMIT);
  if (findings.length > 0) return { findings };
  const [tree] = trees;
  if (!tree || trees.length > 1 || (strict && !isJson(text)))
    return { findings: [toFinding('DOCUMENT_SYNTAX', { file, line: 1, name: 'JSON' })] };
  const problems = validateTree(tree, schema, file);
  return problems.length > 0 ? { findings: problems } : { value: tree.value, findings };
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
