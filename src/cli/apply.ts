// `bauta apply`: documents as they shall be at a service from now on, all of them or none, and what changed.
import { loadDocuments, readText } from '../documents/documents.js';
import { toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { readLocksBeside } from './locks-beside.js';
import { paint, toCount, writeJson } from './print.js';
import { requireServer } from './server.js';

export interface ApplyOptions extends GlobalOptions {
  readonly file: string;
  readonly dryRun?: boolean;
}

/** What POST /v1/apply answers. */
interface Answer {
  readonly dryRun: boolean;
  readonly applied: readonly Applied[];
  readonly lowers?: readonly Readonly<Record<'what' | 'document' | 'column' | 'table' | 'tag' | 'before' | 'after', string | null>>[];
  readonly blastRadius?: Readonly<Record<'columns' | 'pipelines' | 'environments', readonly string[]>> & { readonly rows: number | null };
  readonly approval?: { readonly id: string; readonly expiresAt: string };
}

interface Applied {
  readonly kind: string;
  readonly name: string;
  readonly version: number;
  readonly change: 'created' | 'changed' | 'unchanged';
  readonly diff: readonly { readonly path: string; readonly before?: unknown; readonly after?: unknown }[];
}

/** Somebody else has to agree first. */
const WAITS = 2;

export async function apply(options: ApplyOptions): Promise<number> {
  const server = await requireServer(options, 'apply');
  const body = await readWithImports(options.file);
  const headers = { 'Content-Type': 'application/yaml' };
  const answer = await server.ask<Answer>('POST', `/v1/apply${options.dryRun === true ? '?dryRun=true' : ''}`, { body, headers });
  if (wantsJson(options)) writeJson({ ...answer, findings: [] });
  else process.stdout.write(`${toLines(answer).join('\n')}\n`);
  return answer.approval ? WAITS : 0;
}

/** One text of a file, all that it imports and the locks beside them. What is wrong in them is found here, by file and line; what only the service knows, there. */
async function readWithImports(file: string): Promise<string> {
  const texts: string[] = [];
  const { findings, definitions } = await loadDocuments(file, async (path) => {
    const text = await readText(path);
    if (text !== undefined) texts.push(text);
    return text;
  });
  // Of the kinds that only a service has, it knows what is wrong.
  const wrong = findings.filter(({ severity, code }) => severity === 'error' && code !== 'DOCUMENT_KIND_UNKNOWN');
  if (wrong.length > 0) throw toError('DOCUMENTS_INVALID', { file, amount: String(wrong.length) }, wrong);
  const locks = await readLocksBeside(file, { definitions });
  return [...texts, ...locks.map((lock) => JSON.stringify(lock))].join('\n---\n');
}

function toLines({ dryRun, applied, lowers = [], blastRadius, approval }: Answer): readonly string[] {
  // What nobody has agreed to yet is not made yet.
  const lines = applied.flatMap((one) => toAppliedLines(one, approval !== undefined));
  for (const { what, document, table, column, tag, before, after } of lowers) {
    const of = column ?? table ?? document ?? '';
    lines.push(
      `${paint('lowers', 33, process.stdout)}     ${of}: ${what}${tag === null ? '' : ` of ${tag}`}, ${before ?? 'nothing'} → ${after ?? 'nothing'}`,
    );
  }
  if (blastRadius) {
    const { columns, rows, pipelines, environments } = blastRadius;
    const known = rows === null ? 'rows not known' : toCount(rows, 'row');
    const where = `pipelines ${pipelines.join(', ') || 'none'}, environments ${environments.join(', ') || 'none'}`;
    lines.push(`reaches    ${toCount(columns.length, 'column')}, ${known}, ${where}`);
  }
  if (dryRun) lines.push(`dry run: nothing was applied${blastRadius ? '; it would wait for a second person' : ''}`);
  else if (approval)
    lines.push(`waits until ${approval.expiresAt} for a second person, and nothing was applied: bauta approvals approve ${approval.id}`);
  return lines;
}

const asked: Readonly<Record<Applied['change'], string>> = { created: 'create', changed: 'change', unchanged: 'unchanged' };

function toAppliedLines({ kind, name, version, change, diff }: Applied, waits: boolean): readonly string[] {
  return [
    `${(waits ? asked[change] : change).padEnd(9)}  ${kind} ${name}, version ${version}`,
    // Of a new document all is new: its file says it.
    ...(change === 'changed' ? diff.map(toDiffLine) : []),
  ];
}

function toDiffLine({ path, before, after }: Applied['diff'][number]): string {
  if (before === undefined) return `  ${paint('+', 32, process.stdout)} ${path}: ${JSON.stringify(after)}`;
  if (after === undefined) return `  ${paint('-', 31, process.stdout)} ${path}: ${JSON.stringify(before)}`;
  return `  ${paint('~', 33, process.stdout)} ${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`;
}
