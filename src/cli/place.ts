// Where a command does what it does with a pipeline: here by a file, or at a service by the name of what is applied there.
import { loadDocuments, readText } from '../documents/documents.js';
import { digestJson } from '../kernel/digest.js';
import { type Finding, toError, toFinding, toKnownError } from '../kernel/errors.js';
import type { GlobalOptions } from './context.js';
import { readLocksBeside } from './locks-beside.js';
import { type Server, findServer } from './server.js';

const LOCK = 'ClassificationLock';

export interface Subject {
  /** Of a pipeline of the service. */
  readonly name?: string;
  /** With a service: documents, which MUST be what is applied there. */
  readonly file?: string;
}

export type Place =
  | { readonly server: Server; readonly pipeline: string; readonly file?: never }
  | { readonly server?: never; readonly pipeline?: never; readonly file: string };

/** Throws COMMAND_LINE_INVALID, OPTION_MISSING, or as `findServer` and `requireApplied`. */
export async function choosePlace(command: string, { name, file, ...options }: GlobalOptions & Subject): Promise<Place> {
  const expected = `bauta ${command} --help`;
  if (name !== undefined && file !== undefined) throw toError('COMMAND_LINE_INVALID', { name: 'it names a pipeline and a file', expected });
  const server = await findServer(options);
  if (server) return { server, pipeline: name ?? (await requireApplied(server, command, file)) };
  if (name !== undefined) throw toError('OPTION_MISSING', { name: '--server', expected });
  if (file === undefined) throw toError('OPTION_MISSING', { name: '-f, --file <path>', expected });
  return { file };
}

/** The name of the file's pipeline. Nothing is applied in silence: what differs from what is applied there is named instead. */
async function requireApplied(server: Server, command: string, file: string | undefined): Promise<string> {
  if (file === undefined)
    throw toError('OPTION_MISSING', { name: 'the name of a pipeline, or --file', expected: `bauta ${command} --help` });
  const { definitions, digests, findings } = await loadDocuments(file, readText);
  if (findings.some(({ severity }) => severity === 'error'))
    throw toError('DOCUMENTS_INVALID', { file, amount: String(findings.length) }, findings);
  const pipelines = definitions.flatMap(({ body }) => (body.kind === 'Pipeline' ? [body.name] : []));
  const [pipeline] = pipelines;
  if (pipeline === undefined || pipelines.length > 1)
    throw toError('DOCUMENT_CHOICE', { name: 'Pipeline', expected: `give the name of one that is applied: bauta ${command} NAME` });
  const differing: Finding[] = [];
  for (const { body } of definitions) {
    const name = `${body.kind} ${body.name}`;
    if ((await findApplied(server, body.kind, body.name)) !== digests[name])
      differing.push(toFinding('DOCUMENT_NOT_APPLIED', { file, name }));
  }
  const locks = new Map((await readLocksBeside(file, { definitions })).map((lock) => [lock.name, digestJson(lock)]));
  for (const { body } of definitions) {
    if (body.kind !== 'Classification' || (await findApplied(server, LOCK, body.name)) === locks.get(body.name)) continue;
    differing.push(toFinding('DOCUMENT_NOT_APPLIED', { file, name: `${LOCK} ${body.name}` }));
  }
  if (differing.length > 0) throw toError('DOCUMENTS_NOT_APPLIED', { file, amount: String(differing.length) }, differing);
  return pipeline;
}

/** The digest of the version that holds there. */
async function findApplied(server: Server, kind: string, name: string): Promise<string | undefined> {
  try {
    return (await server.ask<{ digest: string }>('GET', `/v1/${kind.toLowerCase()}s/${encodeURIComponent(name)}`)).digest;
  } catch (error) {
    if (toKnownError(error).code === 'RESOURCE_UNKNOWN') return undefined;
    throw error;
  }
}
