// What the form of a target's privacy cannot say: what is laxer than its class has a reason.
import { type Finding, toFinding } from '../kernel/errors.js';
import type { Definition, TargetDefinition } from '../pipeline/definition.js';
import { findLaxer } from '../pipeline/privacy.js';
import { toLine } from './validate.js';
import type { Tree } from './yaml-tree.js';

export function findPrivacyProblems(definition: Definition, tree: Tree, file: string): readonly Finding[] {
  const place = toPlace(definition);
  if (place?.target.privacy === undefined || place.target.privacy.reason !== undefined) return [];
  return findLaxer(place.target).map((member) => {
    const path = `${place.path}/${member}`;
    return toFinding('DOCUMENT_VALUE_INVALID', {
      ...{ file, line: toLine(tree.lines, `/${path}`), path },
      expected: `a reason beside what is laxer than the class ${place.target.class} has it`,
    });
  });
}

function toPlace(
  definition: Definition,
): { readonly target: Pick<TargetDefinition, 'class' | 'privacy'>; readonly path: string } | undefined {
  if (definition.kind === 'Environment') return { target: definition, path: 'privacy' };
  if (definition.kind !== 'Pipeline' || typeof definition.target === 'string') return undefined;
  return { target: definition.target, path: 'target/privacy' };
}
