// Documents as a service keeps them: what was written, validated as the command line validates files, without files. A lock is one of them here.
import type { Json } from '../kernel/canonical-json.js';
import { digestJson } from '../kernel/digest.js';
import { type Finding, sortFindings, toFinding } from '../kernel/errors.js';
import type { ClassificationLock, Described } from '../pipeline/definition.js';
import { type LoadedDocuments, loadTrees } from './load.js';
import { parseLock } from './lock.js';
import { TEXT_LIMIT } from './read-text.js';
import { documentSchemas, lockSchema } from './schemas.js';
import { toLine, validateTree } from './validate.js';
import { REQUEST_NODE_LIMIT, parseTrees, type Tree } from './yaml-tree.js';

const LOCK = 'ClassificationLock';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** The kinds that a service keeps. A `ClassificationLock` is a classification.lock with `kind`, and the classification's name as `name`. */
export const documentKinds = [...(Object.keys(documentSchemas) as (keyof typeof documentSchemas)[]), LOCK] as const;

export interface WrittenDocument {
  readonly kind: string;
  readonly name: string;
  /** Of the definition: the same whatever the format, comments and order of members. */
  readonly digest: string;
  /** As it was written, without `import`: what belongs together is found by name. */
  readonly written: Readonly<Record<string, Json>>;
}

/** Every document of a text (YAML or JSON, several with `---` between them), or findings. */
export async function parseDocuments(
  text: string,
): Promise<{ readonly documents: readonly WrittenDocument[]; readonly findings: readonly Finding[] }> {
  const file = 'request';
  if (text.length > TEXT_LIMIT)
    return { documents: [], findings: [toFinding('DOCUMENT_TOO_LARGE', { file, amount: `${TEXT_LIMIT} bytes` })] };
  const { trees, findings: syntax } = parseTrees(text, file, REQUEST_NODE_LIMIT);
  if (syntax.length > 0) return { documents: [], findings: syntax };
  if (trees.length === 0) return { documents: [], findings: [toFinding('DOCUMENT_EMPTY', { file })] };
  const loaded = await loadTrees(trees.filter((tree) => !isLock(tree)).map((tree) => ({ tree, file })));
  const locks = trees.filter(isLock).map((tree) => toLock(tree, file));
  const findings = sortFindings([
    ...loaded.findings,
    ...locks.flatMap((lock) => lock.findings),
    ...findRepeated(trees.filter(isLock), file),
  ]);
  if (findings.length > 0) return { documents: [], findings };
  const documents = trees.map((tree): WrittenDocument => {
    const written = without(tree.value, 'import');
    const [kind, name] = [written['kind'] as string, written['name'] as string];
    return { kind, name, written, digest: isLock(tree) ? digestJson(written) : (loaded.digests[`${kind} ${name}`] ?? '') };
  });
  return { documents, findings };
}

/** Kept documents as definitions again, each under the name that findings give it. */
export async function loadWritten(
  kept: readonly { readonly file: string; readonly written: object }[],
): Promise<LoadedDocuments & { readonly locks: readonly Described<ClassificationLock>[] }> {
  const trees = kept.flatMap(({ file, written }) =>
    parseTrees(JSON.stringify(written, undefined, 2), file).trees.map((tree) => ({ tree, file })),
  );
  const loaded = await loadTrees(trees.filter(({ tree }) => !isLock(tree)));
  const locks = trees.filter(({ tree }) => isLock(tree)).map(({ tree, file }) => toLock(tree, file));
  return {
    ...loaded,
    findings: [...loaded.findings, ...locks.flatMap(({ findings }) => findings)],
    locks: locks.flatMap(({ lock }) => lock ?? []),
  };
}

const memberOf = ({ value }: Tree, name: string): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, Json>>)[name] : undefined;

const without = (value: Json, ...names: readonly string[]): Readonly<Record<string, Json>> =>
  Object.fromEntries(Object.entries(value as Readonly<Record<string, Json>>).filter(([name]) => !names.includes(name)));

const isLock = (tree: Tree): boolean => memberOf(tree, 'kind') === LOCK;

function toLock(tree: Tree, file: string): ReturnType<typeof parseLock> {
  const name = memberOf(tree, 'name');
  const value = without(tree.value, 'kind', 'name');
  const bare: Tree = { value, lines: tree.lines };
  const findings = [...validateTree(bare, lockSchema, file)];
  if (typeof name !== 'string' || !NAME.test(name))
    findings.push(
      toFinding('DOCUMENT_VALUE_INVALID', {
        file,
        line: toLine(tree.lines, '/name'),
        path: 'name',
        expected: 'the name of a classification',
      }),
    );
  return findings.length > 0 ? { findings } : parseLock(JSON.stringify(value), file);
}

function findRepeated(locks: readonly Tree[], file: string): readonly Finding[] {
  const names = locks.map((tree) => memberOf(tree, 'name'));
  return locks.flatMap((tree, i) =>
    names.indexOf(names[i]) < i ? [toFinding('DOCUMENT_NAME_DUPLICATE', { file, line: toLine(tree.lines, '/name'), name: LOCK })] : [],
  );
}
