// A file and everything it imports → definitions and findings. Imports are relative paths that stay below the folder of the first file: a set of
// documents can be moved, reviewed and signed as one folder, and no document can reach for a file that was not meant as one.
import { basename, dirname, isAbsolute, relative, resolve, sep } from 'node:path';

import type { Json } from '../kernel/canonical-json.js';
import { deepFreeze } from '../kernel/deep-freeze.js';
import { digestBytes, digestJson } from '../kernel/digest.js';
import { type Finding, sortFindings, toFinding } from '../kernel/errors.js';
import { findNearest } from '../kernel/nearest.js';
import type { Definition, Described, PipelineDocument } from '../pipeline/definition.js';
import { findDueProblems } from './due-problems.js';
import { findGateProblems } from './gate-problems.js';
import { findPrivacyProblems } from './privacy-problems.js';
import { findNameProblems } from './names.js';
import { type ReadText, TEXT_LIMIT } from './read-text.js';
import { documentSchemas } from './schemas.js';
import { findSecrets } from './secrets.js';
import { toDefinition } from './to-definition.js';
import { toLine, validateTree } from './validate.js';
import { parseTrees, type Tree } from './yaml-tree.js';

export interface LoadedDocuments {
  readonly definitions: readonly Described<Definition>[];
  readonly findings: readonly Finding[];
  /** `Pipeline shop` → digest of the definition: the same whatever the file's name, format, comments and order of members. */
  readonly digests: Readonly<Record<string, string>>;
  /** The `after` files of every pipeline, by the pipeline's name, in order, with absolute path and digest of the bytes. */
  readonly after: Readonly<Record<string, readonly { readonly path: string; readonly digest: string }[]>>;
}

const FILE_LIMIT = 100;
const IMPORT_DEPTH_LIMIT = 10;

/** Findings are the only way of saying no: this does not throw for anything that stands in a file. */
export async function loadDocuments(path: string, read: ReadText): Promise<LoadedDocuments> {
  const load = new Load(dirname(resolve(path)), read);
  await load.file(resolve(path), [], { file: path });
  return load.result();
}

/** Documents that are there already, as trees, each with the name that findings give it. Nothing is imported, and no file may be named. */
export async function loadTrees(trees: readonly { readonly tree: Tree; readonly file: string }[]): Promise<LoadedDocuments> {
  const load = new Load('', undefined);
  for (const { tree, file } of trees) await load.document(tree, '', file, []);
  return load.result();
}

class Load {
  private readonly findings: Finding[] = [];
  private readonly definitions: Described<Definition>[] = [];
  private readonly after = Object.create(null) as Record<string, { path: string; digest: string }[]>;
  private readonly seen = new Set<string>();

  constructor(
    private readonly root: string,
    /** Absent: documents come from elsewhere than files. */
    private readonly read: ReadText | undefined,
  ) {}

  result(): LoadedDocuments {
    const digests = Object.create(null) as Record<string, string>;
    for (const { body } of this.definitions) digests[`${body.kind} ${body.name}`] = digestJson(body as unknown as Json);
    return { definitions: this.definitions, findings: sortFindings(this.findings), digests, after: this.after };
  }

  /** `above`: the files on the way here, for cycles. */
  async file(path: string, above: readonly string[], from: { file: string; line?: number }): Promise<void> {
    if (above.includes(path)) return this.find('DOCUMENT_IMPORT_CYCLE', { ...from, file: this.shown(path) });
    if (this.seen.has(path)) return;
    this.seen.add(path);
    if (this.seen.size > FILE_LIMIT) return this.find('DOCUMENT_TOO_LARGE', { ...from, amount: `${FILE_LIMIT} files` });
    if (above.length > IMPORT_DEPTH_LIMIT)
      return this.find('DOCUMENT_TOO_LARGE', { ...from, amount: `imports ${IMPORT_DEPTH_LIMIT} deep` });
    const shown = this.shown(path);
    const text = await this.read?.(path);
    if (text === undefined) return this.find('DOCUMENT_MISSING', { file: shown, ...(from.line === undefined ? {} : { line: from.line }) });
    if (text.length > TEXT_LIMIT) return this.find('DOCUMENT_TOO_LARGE', { file: shown, amount: `${TEXT_LIMIT} bytes` });
    const { trees, findings } = parseTrees(text, shown);
    this.findings.push(...findings);
    if (trees.length === 0 && findings.length === 0) this.find('DOCUMENT_EMPTY', { file: shown });
    for (const tree of trees) await this.document(tree, path, shown, above);
  }

  async document(tree: Tree, path: string, shown: string, above: readonly string[]): Promise<void> {
    const value = tree.value as Readonly<Record<string, unknown>> | null;
    const kind = typeof value === 'object' && value !== null && typeof value['kind'] === 'string' ? value['kind'] : '';
    this.findings.push(...findSecrets(tree, shown));
    if (value === null || !Object.hasOwn(documentSchemas, kind)) {
      const kinds = Object.keys(documentSchemas);
      this.find('DOCUMENT_KIND_UNKNOWN', {
        file: shown,
        line: toLine(tree.lines, '/kind'),
        expected: findNearest(kind, kinds) ?? kinds.join(', '),
      });
      return;
    }
    const problems = validateTree(tree, documentSchemas[kind as keyof typeof documentSchemas], shown);
    this.findings.push(...problems);
    await this.imports(value, tree, path, shown, above);
    if (problems.length > 0) return;
    const body = deepFreeze(toDefinition(value));
    this.findings.push(
      ...findNameProblems(body, tree, shown),
      ...findDueProblems(body, tree, shown),
      ...findGateProblems(body, tree, shown),
      ...findPrivacyProblems(body, tree, shown),
    );
    if (this.definitions.some((other) => other.body.kind === body.kind && other.body.name === body.name)) {
      this.find('DOCUMENT_NAME_DUPLICATE', { file: shown, line: toLine(tree.lines, '/name'), name: `${body.kind} ${body.name}` });
      return;
    }
    this.definitions.push({ body, origin: { file: shown, line: (pointer) => toLine(tree.lines, pointer) } });
    if (body.kind === 'Pipeline') await this.afterFiles(body, tree, path, shown);
  }

  private async imports(
    value: Readonly<Record<string, unknown>>,
    tree: Tree,
    path: string,
    shown: string,
    above: readonly string[],
  ): Promise<void> {
    if (this.read === undefined) return;
    const written = value['import'];
    const list: readonly unknown[] = Array.isArray(written) ? written : [written];
    for (const [i, wanted] of list.entries()) {
      if (typeof wanted !== 'string') continue;
      const line = toLine(tree.lines, `/import/${i}`);
      const to = this.inside(wanted, path);
      if (to === undefined) this.find('DOCUMENT_IMPORT_OUTSIDE', { file: shown, line });
      else await this.file(to, [...above, path], { file: shown, line });
    }
  }

  private async afterFiles(body: PipelineDocument, tree: Tree, path: string, shown: string): Promise<void> {
    const files: { path: string; digest: string }[] = [];
    if (this.read === undefined) {
      if (body.after) this.find('DOCUMENT_FILE_REFERENCE', { file: shown, line: toLine(tree.lines, '/after'), path: 'after' });
      return;
    }
    for (const [i, wanted] of (body.after ?? []).entries()) {
      const line = toLine(tree.lines, `/after/${i}`);
      const to = this.inside(wanted, path);
      const text = to === undefined ? undefined : await this.read(to);
      if (to === undefined) this.find('DOCUMENT_IMPORT_OUTSIDE', { file: shown, line });
      else if (text === undefined) this.find('DOCUMENT_MISSING', { file: this.shown(to), line });
      else files.push({ path: to, digest: digestBytes(text) });
    }
    this.after[body.name] = files;
  }

  /** The absolute path of a relative one, unless it leaves the root. */
  private inside(wanted: string, from: string): string | undefined {
    if (isAbsolute(wanted) || /^[A-Za-z]:|\\|\0/.test(wanted)) return undefined;
    const to = resolve(dirname(from), wanted);
    const below = relative(this.root, to);
    return below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below) ? undefined : to;
  }

  private shown(path: string): string {
    return relative(this.root, path) || basename(path);
  }

  private find(code: Finding['code'], where: Finding['where']): void {
    this.findings.push(toFinding(code, where));
  }
}
