// What the form of a Gate cannot say: each thing that is asked for has a name of its own, something is asked for, and what is not has a reason.
import { type Finding, toFinding } from '../kernel/errors.js';
import type { Definition } from '../pipeline/definition.js';
import { findCallerProblems } from './gate-callers-problems.js';
import { toLine } from './validate.js';
import type { Tree } from './yaml-tree.js';

/** The score calls what is no evidence so. */
const taken = ['dataset', 'checks'];

export function findGateProblems(definition: Definition, tree: Tree, file: string): readonly Finding[] {
  if (definition.kind !== 'Gate') return [];
  const { threshold, advise, dataset, evidence } = definition;
  const names = evidence.map(({ name }) => name);
  return [
    ...(Math.round(threshold * 100) / 100 === threshold ? [] : [refuse('threshold', 'two decimals at most')]),
    ...(advise === undefined || isDay(advise.until) ? [] : [refuse('advise/until', 'a day of the calendar as YYYY-MM-DD')]),
    ...(dataset.required === (dataset.reason === undefined) ? [] : [refuse('dataset', 'a reason with required: false, and only then')]),
    ...(dataset.required || evidence.length > 0 ? [] : [refuse('evidence', 'something that is asked for')]),
    ...names.flatMap((name, n) =>
      taken.includes(name) || names.indexOf(name) !== n ? [refuse(`evidence/${n}/name`, 'a name that nothing else of the gate has')] : [],
    ),
    ...findCallerProblems(definition).map(({ path, expected }) => refuse(path, expected)),
  ];

  function refuse(path: string, expected: string): Finding {
    return toFinding('DOCUMENT_VALUE_INVALID', { file, line: toLine(tree.lines, `/${path}`), path, expected });
  }
}

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}
