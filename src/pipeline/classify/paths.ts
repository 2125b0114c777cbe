// What a claim means for a column's type: a tag as it is, or tags by path. What is not listed inside an open type is refused at run time.
import { type Finding, toFinding, type Where } from '../../kernel/errors.js';
import { findNearest } from '../../kernel/nearest.js';
import type { DataType } from '../catalogue.js';
import type { PathClassification, Reasoned } from '../definition.js';
import type { Claim } from './claims.js';
import { toShownKey } from './detectors/detectors.js';
import { findAtPath, isOpen, isPath, toLeaves, toShape } from './shape.js';

export interface ResolvedPaths {
  readonly tag: string;
  readonly paths?: ReadonlyMap<string, string>;
  readonly rest?: 'refuse' | 'drop' | 'keep';
  readonly restReason?: Reasoned;
  readonly findings: readonly Finding[];
}

export function toResolvedPaths(type: DataType, claim: Claim, where: Where): ResolvedPaths {
  if (typeof claim.what === 'string') return toWhole(type, claim.what, claim, where);
  if (toShape(type) === 'scalar') return { tag: 'none', findings: [toFinding('CLASSIFICATION_PATHS_MISPLACED', where)] };
  const { rest, ...listed } = toRest(claim.what);
  const paths = new Map(Object.entries(claim.what.paths).sort(([a], [b]) => (a < b ? -1 : 1)));
  const findings = [...findPathProblems(type, [...paths.keys()], rest, where)];
  if (rest === 'keep' && (!listed.restReason?.reason || listed.restReason.expires === undefined))
    findings.push(toFinding('CLASSIFICATION_PATHS_NEEDED', where));
  return { tag: 'mixed', paths, rest, ...listed, findings };
}

function toRest({ rest }: PathClassification): { rest: 'refuse' | 'drop' | 'keep'; restReason?: Reasoned } {
  if (rest === undefined) return { rest: 'refuse' };
  if (rest === 'drop') return { rest };
  const { action, ...restReason } = rest;
  return { rest: action, restReason };
}

/**
 * One tag for a whole column; an array has it for each element. A column that can hold any path is `none` only when it is kept
 * with reason and last day; under another tag its transform must accept the type, which binding checks.
 */
function toWhole(type: DataType, tag: string, claim: Claim, where: Where): ResolvedPaths {
  if (tag === 'none' && isOpen(type) && claim.keep?.expires === undefined)
    return { tag, findings: [toFinding('CLASSIFICATION_PATHS_NEEDED', where)] };
  return { tag, findings: [] };
}

function findPathProblems(type: DataType, paths: readonly string[], rest: 'refuse' | 'drop' | 'keep', where: Where): readonly Finding[] {
  const findings: Finding[] = [];
  const leaves = toLeaves(type);
  const known = leaves.map(({ path }) => path).filter((path) => path !== '');
  for (const path of paths) {
    if (!isPath(path)) findings.push(toFinding('CLASSIFICATION_PATH_INVALID', { ...where, path: toShownPath(path) }));
    else if (findAtPath(type, path) === undefined) {
      findings.push(
        toFinding('CLASSIFICATION_PATH_UNKNOWN', {
          ...where,
          path: toShownPath(path),
          expected: findNearest(path, known) ?? known.join(', '),
        }),
      );
    }
  }
  for (const leaf of rest === 'refuse' ? leaves : []) {
    if (leaf.type && !paths.includes(leaf.path))
      findings.push(toFinding('CLASSIFICATION_PATH_UNKNOWN', { ...where, path: leaf.path, expected: leaf.path }));
  }
  return findings;
}

/** Keys of a document may be data: shown only when they look like names. */
function toShownPath(path: string): string {
  return path
    .split('.')
    .map((part) => {
      const [, key = '', elements = ''] = /^(.*?)((?:\[\])*)$/su.exec(part) ?? [];
      return (key === '' && elements !== '' ? '' : toShownKey(key)) + elements;
    })
    .join('.');
}
