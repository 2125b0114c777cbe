// Which of the loaded documents are meant: one pipeline, with the classification and the rulebook that it names.
import { packageFile } from '../kernel/package-root.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import { findNearest } from '../kernel/nearest.js';
import type {
  ClassificationDefinition,
  Definition,
  Described,
  PipelineDefinition,
  PipelineDocument,
  RulebookDefinition,
} from '../pipeline/definition.js';
import { loadDocuments, type LoadedDocuments } from './load.js';
import { findKeyProblems } from './key-problems.js';
import { type PlacedPipeline, placePipeline } from './place.js';
import type { ReadText } from './read-text.js';

export interface SelectedDocuments {
  readonly pipeline: Described<PipelineDefinition>;
  readonly classification: Described<ClassificationDefinition>;
  readonly rulebook: Described<RulebookDefinition>;
  /** Digests of these three, of what the pipeline names beside them, and of the pipeline's `after` files, as `Plan.documents` wants them. */
  readonly digests: Readonly<Record<string, string>>;
  readonly after: readonly { readonly path: string; readonly digest: string }[];
  readonly connections: PlacedPipeline['connections'];
}

/** `name`: the pipeline, when the files hold several. What is meant by the names of an Environment and of Connections is put in. The rulebook `default` comes from the package unless a document of that name was loaded. */
export async function selectDocuments(
  loaded: LoadedDocuments,
  read: ReadText,
  name?: string,
): Promise<{ readonly selected?: SelectedDocuments; readonly findings: readonly Finding[] }> {
  const pipelines = ofKind<PipelineDocument>(loaded.definitions, 'Pipeline');
  const found = name === undefined && pipelines.length === 1 ? pipelines[0] : pipelines.find(({ body }) => body.name === name);
  if (found === undefined) {
    const names = pipelines.map(({ body }) => body.name);
    const expected = names.length === 0 ? 'give a file with kind: Pipeline' : `name one of: ${names.join(', ')}`;
    return { findings: [toFinding('DOCUMENT_CHOICE', { name: 'Pipeline', expected })] };
  }
  const shipped = await loadDocuments(packageFile('src', 'pipeline', 'mask', 'rulebooks', 'default.yaml'), read);
  const rulebooks = [
    ...ofKind<RulebookDefinition>(loaded.definitions, 'Rulebook'),
    ...ofKind<RulebookDefinition>(shipped.definitions, 'Rulebook'),
  ];
  const findings: Finding[] = [...shipped.findings, ...findKeyProblems(loaded.definitions.map(({ body }) => body))];
  const { pipeline, connections, used } = placePipeline(found, loaded.definitions, findings);
  const classification = findNamed(
    pipeline,
    'classification',
    ofKind<ClassificationDefinition>(loaded.definitions, 'Classification'),
    findings,
  );
  const rulebook = findNamed(pipeline, 'rulebook', rulebooks, findings);
  if (classification === undefined || rulebook === undefined || findings.length > 0) return { findings };
  const after = loaded.after[pipeline.body.name] ?? [];
  const all: Readonly<Record<string, string>> = { ...shipped.digests, ...loaded.digests };
  const digests = Object.create(null) as Record<string, string>;
  for (const { body } of [pipeline, classification, rulebook, ...used])
    digests[`${body.kind} ${body.name}`] = all[`${body.kind} ${body.name}`] ?? '';
  for (const [i, file] of after.entries()) digests[`after ${i + 1}`] = file.digest;
  return { selected: { pipeline, classification, rulebook, digests, after, connections }, findings };
}

function ofKind<D extends Definition>(definitions: readonly Described<Definition>[], kind: D['kind']): readonly Described<D>[] {
  return definitions.filter((definition): definition is Described<D> => definition.body.kind === kind);
}

function findNamed<D extends Definition>(
  pipeline: Described<PipelineDefinition>,
  member: 'classification' | 'rulebook',
  candidates: readonly Described<D>[],
  findings: Finding[],
): Described<D> | undefined {
  const wanted = pipeline.body[member];
  const found = candidates.find(({ body }) => body.name === wanted);
  if (found === undefined) {
    const names = candidates.map(({ body }) => body.name);
    const expected = findNearest(wanted, names) ?? (names.join(', ') || 'none');
    const { origin } = pipeline;
    findings.push(
      toFinding('DOCUMENT_NOT_FOUND', { file: origin.file, line: origin.line(`/${member}`), name: `${member} ${wanted}`, expected }),
    );
  }
  return found;
}
