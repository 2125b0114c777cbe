// `bauta classify`: suggest what each column is, let a person confirm it, check that nothing is new. Documents and reports go to stdout, words to stderr.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';

import { parseSettings } from '../config/settings.js';
import { createReadStored } from '../control/stores.js';
import {
  loadDocuments,
  parseCatalogue,
  parseLock,
  readText,
  writeCatalogue,
  writeClassification,
  writeLock,
} from '../documents/documents.js';
import { systemClock, toTimestamp } from '../kernel/clock.js';
import { type Finding, sortFindings, toError } from '../kernel/errors.js';
import { toScopeTest } from '../pipeline/bind-input.js';
import type { Catalogue, TableName } from '../pipeline/catalogue.js';
import { check, type CheckedFinding, confirm, isDataKey, suggest, toClassification } from '../pipeline/classify/classify.js';
import type { ClassificationDefinition, ClassificationLock, Definition, Described, PipelineDefinition } from '../pipeline/definition.js';
import type { SourceScope } from '../pipeline/ports.js';
import { type ConnectionTarget, resolveConnection, type Survey, survey } from '../systems/postgres/postgres.js';
import { type ReportFormat, toReport } from './check-report.js';
import type { GlobalOptions } from './context.js';
import { wantsJson } from './context.js';
import { toFindingText, writeJson } from './print.js';

export interface ClassifyOptions extends GlobalOptions {
  readonly file?: string;
  readonly source?: string;
  readonly catalogue?: string;
  readonly check?: boolean;
  readonly schema?: string;
  readonly confirm?: readonly string[];
  readonly by?: string;
  readonly as?: ReportFormat;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const ROWS_PER_TABLE = 200;
const STATEMENT_MS = 20_000;
const WHOLE_BYTES = 256 * 1024 * 1024;
const everything = { include: [], exclude: [] };

/** Exit codes: 0 done · 3 a column is new, or the input is not as it has to be. */
export async function classify(options: ClassifyOptions): Promise<number> {
  if (options.check === true) return checkSchema(options);
  if (options.confirm !== undefined) return confirmColumns(options, options.confirm);
  if (options.catalogue !== undefined) return printCatalogue(options, options.catalogue);
  if (options.source !== undefined) return suggestDocument(options, options.source);
  throw toError('OPTION_INVALID', { name: 'bauta classify', expected: 'given one of --source, --catalogue, --confirm, --check' });
}

async function suggestDocument(options: ClassifyOptions, reference: string): Promise<number> {
  const connection = await toConnection(options, reference);
  const limits = { rowsPerTable: ROWS_PER_TABLE, statementMs: STATEMENT_MS, wholeBytes: WHOLE_BYTES, isDataKey };
  const { catalogue, samples, inventories, findings } = await survey(connection, await readScope(options), limits);
  const suggestions = suggest(catalogue, samples, inventories);
  const draft = toClassification(catalogue, suggestions, inventories);
  const columns = draft.tables.flatMap((table) => table.columns);
  const open = columns.filter((column) => column.kind === 'unknown' || (column.kind === 'paths' && !column.complete)).length;
  if (wantsJson(options)) writeJson({ suggestions, unknown: open, findings });
  else process.stdout.write(writeClassification(toDocumentName(catalogue), draft.tables));
  for (const finding of findings) process.stderr.write(`${toFindingText(finding)}\n`);
  process.stderr.write(
    `${columns.length} columns in ${draft.tables.length} tables: ${columns.length - open} suggested, ${open} unknown. Nobody confirmed any of it: read it line by line.\n`,
  );
  return 0;
}

/** With -f, what the pipeline includes and excludes; the classification that it names need not be there yet. */
async function readScope({ file }: ClassifyOptions): Promise<SourceScope> {
  if (file === undefined) return everything;
  const { definitions, findings } = await loadDocuments(file, readText);
  const pipeline = findOne<PipelineDefinition>(definitions, 'Pipeline')?.body;
  if (pipeline) return { include: pipeline.include ?? [], exclude: pipeline.exclude ?? [] };
  if (findings.length > 0) throw toError('DOCUMENTS_INVALID', { file, amount: String(findings.length) }, sortFindings(findings));
  throw toError('DOCUMENT_CHOICE', { name: 'Pipeline', expected: 'with --source, -f names the pipeline that says what is in scope' });
}

function toDocumentName({ server }: Catalogue): string {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(server.database) ? server.database : 'classification';
}

async function printCatalogue(options: ClassifyOptions, reference: string): Promise<number> {
  const { catalogue } = await survey(await toConnection(options, reference), everything);
  process.stdout.write(writeCatalogue(catalogue));
  return 0;
}

async function checkSchema(options: ClassifyOptions): Promise<number> {
  if (options.schema === undefined)
    throw toError('OPTION_INVALID', { name: '--check', expected: 'given together with --schema FILE or a reference' });
  const documents = await readDocuments(options);
  const { catalogue } = await readSchema(options, options.schema);
  const tables = catalogue.tables.filter((table) => documents.inScope(table));
  const input = { classification: documents.classification, tables, isOutOfScope: (table: TableName) => !documents.inScope(table) };
  const lock = documents.lock ? { lock: documents.lock } : {};
  const findings = check({ ...input, ...lock }, { ...catalogue, tables }).map((finding) => toShownFinding(finding, documents.folder));
  const failed = findings.some(({ severity }) => severity === 'error');
  if (wantsJson(options)) writeJson({ passed: !failed, findings });
  else process.stdout.write(toReport(options.as ?? 'text', findings));
  process.stderr.write(`${tables.length} tables checked: ${findings.length === 0 ? 'nothing is new' : `${findings.length} findings`}\n`);
  return failed ? 3 : 0;
}

/** Documents name files from their own folder; a report in a repository is read from where the command ran. */
function toShownFinding(finding: CheckedFinding, folder: string): CheckedFinding {
  const { file } = finding.where;
  return file === undefined
    ? finding
    : { ...finding, where: { ...finding.where, file: relative('.', resolve(folder, file)).replaceAll('\\', '/') } };
}

async function confirmColumns(options: ClassifyOptions, patterns: readonly string[]): Promise<number> {
  const by = options.by?.trim() ?? '';
  if (by === '' || by.length > 200 || /\p{Cc}/u.test(by))
    throw toError('OPTION_INVALID', { name: '--by', expected: 'the name of the person who confirms' });
  const wanted = options.source ?? options.schema;
  if (wanted === undefined)
    throw toError('OPTION_INVALID', { name: '--confirm', expected: 'given together with --source or --schema: what exists now' });
  const documents = await readDocuments(options);
  const { catalogue } =
    options.source === undefined ? await readSchema(options, wanted) : await survey(await toConnection(options, wanted), everything);
  const result = confirm({
    classification: documents.classification,
    known: documents.lock?.body,
    tables: catalogue.tables.filter((table) => documents.inScope(table)),
    isOutOfScope: (table) => !documents.inScope(table),
    patterns,
    by,
    at: toTimestamp(systemClock.now()),
  });
  if (!result.lock) {
    const findings = result.findings.map((finding) => toShownFinding(finding, documents.folder));
    throw toError('DOCUMENTS_INVALID', { file: options.file, amount: String(findings.length) }, findings);
  }
  await writeWhole(documents.lockFile, writeLock(result.lock));
  const { confirmed, removed } = result;
  if (wantsJson(options)) writeJson({ file: documents.lockFile, confirmed, removed, columns: Object.keys(result.lock.columns).length });
  else
    process.stderr.write(`${confirmed.length} columns confirmed, ${removed.length} that are gone removed: commit ${documents.lockFile}\n`);
  return 0;
}

/** Old or new, never a half: the file is replaced in one step. */
async function writeWhole(path: string, text: string): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}`);
  await writeFile(beside, text, { mode: 0o644 });
  await rename(beside, path);
}

interface Documents {
  readonly classification: Described<ClassificationDefinition>;
  readonly lock?: Described<ClassificationLock>;
  readonly lockFile: string;
  /** The folder of `-f`, from which the documents' file names count. */
  readonly folder: string;
  readonly inScope: (table: TableName) => boolean;
}

async function readDocuments({ file }: ClassifyOptions): Promise<Documents> {
  if (file === undefined)
    throw toError('OPTION_INVALID', { name: '-f', expected: 'given: the classification document, or the pipeline that names it' });
  const loaded = await loadDocuments(file, readText);
  const findings: Finding[] = [...loaded.findings];
  const pipeline = findOne<PipelineDefinition>(loaded.definitions, 'Pipeline');
  const classification = findOne<ClassificationDefinition>(loaded.definitions, 'Classification', pipeline?.body.classification);
  const folder = dirname(file);
  const lockFile = join(folder, classification ? dirname(classification.origin.file) : '.', 'classification.lock');
  const text = await readText(resolve(lockFile));
  const parsed = text === undefined ? undefined : parseLock(text, relative(folder, lockFile));
  findings.push(...(parsed?.findings ?? []));
  if (!classification && findings.length === 0)
    throw toError('DOCUMENT_CHOICE', { name: 'Classification', expected: 'give the file that holds one, or a pipeline that names it' });
  if (!classification || findings.some(({ severity }) => severity === 'error'))
    throw toError('DOCUMENTS_INVALID', { file, amount: String(findings.length) }, sortFindings(findings));
  return { classification, ...(parsed?.lock ? { lock: parsed.lock } : {}), lockFile, folder, inScope: toScopeTest(pipeline?.body ?? {}) };
}

function findOne<D extends Definition>(
  definitions: readonly Described<Definition>[],
  kind: D['kind'],
  name?: string,
): Described<D> | undefined {
  const all = definitions.filter((one): one is Described<D> => one.body.kind === kind && (name === undefined || one.body.name === name));
  return all.length === 1 ? all[0] : undefined;
}

async function readSchema(options: ClassifyOptions, wanted: string): Promise<Pick<Survey, 'catalogue'>> {
  if (/^(env|file|vault|aws):/.test(wanted)) return survey(await toConnection(options, wanted), everything);
  // Larger than a document may be: a catalogue of ten thousand tables is a file of this kind.
  const text = await readFile(wanted, 'utf8').catch(() => undefined);
  if (text === undefined) throw toError('DOCUMENT_MISSING', { file: wanted });
  const catalogue = parseCatalogue(text);
  if (!catalogue) throw toError('CATALOGUE_FILE_INVALID', { file: wanted });
  return { catalogue };
}

function toConnection({ environment }: ClassifyOptions, reference: string): Promise<ConnectionTarget> {
  const variables = environment ?? process.env;
  const readStored = (one: string): Promise<string | undefined> => createReadStored(parseSettings(variables), variables)(one);
  return resolveConnection(reference, variables, (path) => readFile(path, 'utf8'), readStored);
}
