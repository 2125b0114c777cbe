// classification.lock: JSON, written by `bauta classify`, committed beside the classification.
import { deepFreeze } from '../kernel/deep-freeze.js';
import type { Finding } from '../kernel/errors.js';
import type { ClassificationLock, Described } from '../pipeline/definition.js';
import { lockSchema } from './schemas.js';
import { toLine, validateTree } from './validate.js';
import { parseTrees } from './yaml-tree.js';

export function parseLock(
  text: string,
  file: string,
): { readonly lock?: Described<ClassificationLock>; readonly findings: readonly Finding[] } {
  const { trees, findings } = parseTrees(text, file);
  const [tree] = trees;
  if (findings.length > 0 || tree === undefined) return { findings };
  const problems = validateTree(tree, lockSchema, file);
  if (problems.length > 0) return { findings: problems };
  const body = deepFreeze(tree.value) as unknown as ClassificationLock;
  return { lock: { body, origin: { file, line: (pointer) => toLine(tree.lines, pointer) } }, findings };
}
