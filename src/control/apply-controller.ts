// POST /v1/apply: documents in, all of them or none, and what changed. The same request again changes nothing.
import { Controller, Inject, Query, Req, Res } from '@nestjs/common';

import { type Schema, type WrittenDocument, findNamed, findSecretsNamed, isJson, parseDocuments } from '../documents/documents.js';
import type { Settings } from '../config/settings.js';
import type { Clock } from '../kernel/clock.js';
import { type Finding, toError, toFinding } from '../kernel/errors.js';
import { Metadata, type Transaction } from '../systems/metadata/metadata.js';
import { type Pending, openApproval, pendingSchema } from './approvals/approvals.js';
import { type Applied, type Change, insertChanges, toChange } from './change.js';
import { findTrustedPeople } from './issuers/issuers.js';
import { CLOCK, GRANTS, type Request, type Response, Route, SETTINGS, answerOnce, callerOf, etagOf } from './http/http.js';
import { Grants } from './references.js';
import {
  type BlastRadius,
  DocumentSet,
  type Lowered,
  blastRadiusSchema,
  findLowered,
  loweredSchema,
  toBlastRadius,
} from './protection/protection.js';

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
    lowers: loweredSchema,
    blastRadius: blastRadiusSchema,
  },
};

const pending: Schema = {
  ...applied,
  required: [...(applied['required'] as string[]), 'lowers', 'blastRadius', 'approval'],
  properties: { ...(applied['properties'] as object), approval: pendingSchema },
};

interface Answer {
  readonly dryRun: boolean;
  readonly applied: readonly Applied[];
  readonly lowers?: readonly Lowered[];
  readonly blastRadius?: BlastRadius;
  readonly approval?: Pending;
}

@Controller('v1/apply')
export class ApplyController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(GRANTS) private readonly grants: Grants,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{
      method: 'POST',
      needs: 'documents:apply',
      summary: 'documents as they shall be from now on; all of them or none',
      answer: applied,
      waits: pending,
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
  async apply(@Req() request: Request, @Query('dryRun') dryRun: unknown, @Res({ passthrough: true }) response: Response): Promise<Answer> {
    if (dryRun !== undefined && dryRun !== 'true' && dryRun !== 'false')
      throw toError('REQUEST_INVALID', { name: 'dryRun', expected: 'true or false' });
    const workspace = await this.metadata.workspaceName(callerOf(request).workspaceId);
    const documents = await parseApply(request, (document) =>
      this.grants.find(workspace, `${document.kind} ${document.name}`, findSecretsNamed(document.written)),
    );
    return answerOnce(this.metadata, request, response, async (transaction): Promise<Answer> => {
      await transaction.documents.lock();
      await requireWhole(transaction, documents);
      const changes: Change[] = [];
      for (const document of documents) changes.push(await this.look(transaction, document, request, documents.length));
      const answer = { dryRun: dryRun === 'true', applied: changes.map(({ applied: one }) => one) };
      const changed = changes.filter(({ applied: { change } }) => change !== 'unchanged');
      if (changed.length === 0) return answer;
      const { before, after } = await DocumentSet.read(transaction, documents);
      const problems = after.keyProblems();
      if (problems.length > 0) throw toError('DOCUMENTS_INVALID', { file: 'request', amount: String(problems.length) }, problems);
      const lowers = findLowered(
        before,
        after,
        changed.map(({ document }) => document),
      );
      const told = lowers.length === 0 ? {} : { lowers, blastRadius: await toBlastRadius(transaction, after, lowers) };
      if (answer.dryRun) return { ...answer, ...told };
      if (told.blastRadius) {
        const approval = await this.askApprover(transaction, callerOf(request).personId, changed, lowers, told.blastRadius);
        response.status(202);
        return { ...answer, ...told, approval };
      }
      await insertChanges(transaction, changed, callerOf(request).personId, this.clock.now());
      return answer;
    });
  }

  private async look(transaction: Transaction, document: WrittenDocument, request: Request, of: number): Promise<Change> {
    const { kind, name } = document;
    const current = await transaction.documents.find({ kind, name });
    requireMatch(request, of, current && etagOf(current), `${kind} ${name}`);
    return toChange(document, current);
  }

  /** Nothing of the request is carried out until somebody else has approved of all of it: an approver, and of a trust an administrator. */
  private async askApprover(
    transaction: Transaction,
    personId: string,
    changes: readonly Change[],
    lowers: readonly Lowered[],
    blastRadius: BlastRadius,
  ): Promise<Pending> {
    const trusts = lowers.filter(({ what }) => what === 'trust-added').length;
    if (trusts > 0 && trusts < lowers.length) throw toError('TRUST_WITH_OTHERS');
    const { ids } = await findTrustedPeople(transaction, changes.map(({ document }) => document)); // prettier-ignore
    const documents = changes.map(({ applied: { kind, name, version, digest } }) => ({ kind, name, version, digest }));
    const thing = { documents, lowers: lowers.map((one) => ({ ...one })), requestedBy: personId };
    const subject = {
      documents: changes.map(({ applied: one }) => one),
      lowers,
      blastRadius,
      written: changes.map(({ document }) => document),
    };
    const term = { nowMs: this.clock.now(), hours: this.settings.BAUTA_APPROVAL_HOURS };
    // Whoever can come in by a trust cannot approve of it, no more than who wrote it.
    const wanted = {
      ...{ kind: trusts > 0 ? ('trust' as const) : ('documents' as const), requestedBy: personId, authorIds: [personId, ...ids] },
      environments: trusts > 0 ? [] : blastRadius.environments,
    };
    return openApproval(transaction, { ...wanted, subject, thing }, term);
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
  findings.push(...(await findTrustedPeople(transaction, documents)).findings);
  if (findings.length > 0) throw toError('DOCUMENTS_INVALID', { file: 'request', amount: String(findings.length) }, findings);
}

function requireMatch(request: Request, of: number, etag: string | undefined, name: string): void {
  const wanted = request.headers['if-match'];
  if (wanted === undefined) return;
  if (of !== 1) throw toError('REQUEST_INVALID', { name: 'If-Match', expected: 'it with one document only' });
  if (wanted !== etag && !(wanted === '*' && etag !== undefined)) throw toError('VERSION_CHANGED', { name });
}
