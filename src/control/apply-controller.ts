// POST /v1/apply: documents in, all of them or none, and what changed. The same request again changes nothing.
import { Controller, Inject, Query, Req, Res } from '@nestjs/common';

import { type Schema, type WrittenDocument, findNamed, findSecretsNamed, isJson, parseDocuments } from '../documents/documents.js';
import type { Json } from '../kernel/canonical-json.js';
import { type Clock, toTimestamp } from '../kernel/clock.js';
import { type Finding, toError, toFinding } from '../kernel/errors.js';
import { Metadata, type Transaction } from '../systems/metadata/metadata.js';
import { type Difference, toDiff } from './diff.js';
import { CLOCK, GRANTS, type Request, type Response, Route, answerOnce, callerOf, etagOf } from './http/http.js';
import { Grants } from './references.js';
import { followSchedule } from './schedules/schedules.js';
import { followTrigger } from './triggers/triggers.js';

interface Applied {
  readonly kind: string;
  readonly name: string;
  readonly version: number;
  readonly digest: string;
  readonly change: 'created' | 'changed' | 'unchanged';
  readonly diff: readonly Difference[];
}

const applied: Schema = {
  type: 'object',
  required: ['dryRun', 'applied'],
  properties: {
    dryRun: { type: 'boolean' },
    applied: {
      type: 'array',
      items: {
        type: 'object',
        required: ['kind', 'name', 'version', 'digest', 'change', 'diff'],
        properties: {
          ...{ kind: { type: 'string' }, name: { type: 'string' }, version: { type: 'integer' }, digest: { type: 'string' } },
          change: { type: 'string', enum: ['created', 'changed', 'unchanged'] },
          diff: {
            type: 'array',
            items: { type: 'object', required: ['path'], properties: { path: { type: 'string' }, before: {}, after: {} } },
          },
        },
      },
    },
  },
};

@Controller('v1/apply')
export class ApplyController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(GRANTS) private readonly grants: Grants,
  ) {}

  @Route({
    ...{
      method: 'POST',
      needs: 'documents:apply',
      summary: 'documents as they shall be from now on; all of them or none',
      answer: applied,
    },
    body: { type: 'object', description: 'one document; in YAML several, with --- between them' },
    bodyTypes: ['application/yaml', 'application/json'],
    query: { dryRun: { type: 'string', enum: ['true', 'false'], description: 'true: only tell what would change' } },
    headers: {
      'Idempotency-Key': 'the same request with the same key is carried out once',
      'If-Match': 'for one document: the ETag of the version that this one replaces',
    },
    errors: [412],
  })
  async apply(@Req() request: Request, @Query('dryRun') dryRun: unknown, @Res({ passthrough: true }) response: Response): Promise<object> {
    if (dryRun !== undefined && dryRun !== 'true' && dryRun !== 'false')
      throw toError('REQUEST_INVALID', { name: 'dryRun', expected: 'true or false' });
    const workspace = await this.metadata.workspaceName(callerOf(request).workspaceId);
    const documents = await parseApply(request, (document) =>
      this.grants.find(workspace, `${document.kind} ${document.name}`, findSecretsNamed(document.written)),
    );
    return answerOnce(this.metadata, request, response, async (transaction) => {
      await transaction.documents.lock();
      await requireWhole(transaction, documents);
      const results: Applied[] = [];
      for (const document of documents)
        results.push(await this.applyOne(transaction, document, request, documents.length, dryRun === 'true'));
      const changed = results.filter(({ change }) => change !== 'unchanged');
      if (changed.length > 0 && dryRun !== 'true') {
        const data = { documents: changed.map(({ kind, name, version, digest, change }) => ({ kind, name, version, digest, change })) };
        await transaction.audit({ type: 'documents.applied', at: toTimestamp(this.clock.now()), actor: callerOf(request).personId, data });
      }
      return { dryRun: dryRun === 'true', applied: results };
    });
  }

  private async applyOne(
    transaction: Transaction,
    document: WrittenDocument,
    request: Request,
    of: number,
    dry: boolean,
  ): Promise<Applied> {
    const { kind, name, digest, written } = document;
    const current = await transaction.documents.find({ kind, name });
    requireMatch(request, of, current && etagOf(current), `${kind} ${name}`);
    if (current?.digest === digest) return { kind, name, digest, version: current.version, change: 'unchanged', diff: [] };
    const version = (current?.version ?? 0) + 1;
    if (!dry) {
      await transaction.documents.insert({ kind, name, version, digest, document: written }, callerOf(request).personId);
      if (kind === 'Schedule') await followSchedule(transaction, written, version, this.clock);
      if (kind === 'Trigger') await followTrigger(transaction, written, version, this.clock);
    }
    const diff = toDiff(current?.document as Json | undefined, written);
    return { kind, name, version, digest, change: current ? 'changed' : 'created', diff };
  }
}

async function parseApply(
  { body, headers }: Request,
  findUngranted: (document: WrittenDocument) => readonly Finding[],
): Promise<readonly WrittenDocument[]> {
  if (typeof body !== 'string') throw toError('REQUEST_TYPE_UNSUPPORTED', { expected: 'application/yaml or application/json' });
  const json = /^application\/json\b/.test(headers['content-type'] ?? '');
  if (json && !isJson(body)) throw toError('DOCUMENT_SYNTAX', { file: 'request', line: 1, name: 'JSON' });
  const { documents, findings } = await parseDocuments(body);
  const all = [...findings, ...documents.flatMap(findUngranted)];
  if (all.some(({ severity }) => severity === 'error'))
    throw toError('DOCUMENTS_INVALID', { file: 'request', amount: String(all.length) }, all);
  return documents;
}

/** What a document names is there, in this request or in the workspace. */
async function requireWhole(transaction: Transaction, documents: readonly WrittenDocument[]): Promise<void> {
  const findings: Finding[] = [];
  for (const document of documents) {
    for (const { path, kind, name } of findNamed(document.written)) {
      if (documents.some((other) => other.kind === kind && other.name === name)) continue;
      if (await transaction.documents.find({ kind, name })) continue;
      const where = {
        file: `${document.kind} ${document.name}`,
        path,
        name: `${kind.toLowerCase()} ${name}`,
        expected: 'one that is applied',
      };
      findings.push(toFinding('DOCUMENT_NOT_FOUND', where));
    }
  }
  if (findings.length > 0) throw toError('DOCUMENTS_INVALID', { file: 'request', amount: String(findings.length) }, findings);
}

function requireMatch(request: Request, of: number, etag: string | undefined, name: string): void {
  const wanted = request.headers['if-match'];
  if (wanted === undefined) return;
  if (of !== 1) throw toError('REQUEST_INVALID', { name: 'If-Match', expected: 'it with one document only' });
  if (wanted !== etag && !(wanted === '*' && etag !== undefined)) throw toError('VERSION_CHANGED', { name });
}
