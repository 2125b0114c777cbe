// /v1/evidence: reports of scanners and tests, each once, bound to a commit, an image or an environment and to who sent it.
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { BautaError, toError } from '../../kernel/errors.js';
import type { GateDefinition } from '../../pipeline/definition.js';
import {
  type EvidenceRow,
  Metadata,
  type NewEvidence,
  type Producer,
  type SubjectKind,
  type Transaction,
} from '../../systems/metadata/metadata.js';
import { type ScanFormat, scanFormats, severities } from '../../systems/scanners/scanners.js';
import {
  CLOCK, type Request, type Response, Route, callerOf, isUuid, pageSchema, parseRequest, readPage, requireRight, requireUuid, toPage,
} from '../http/http.js'; // prettier-ignore
import { evidenceSchema, toEvidenceView } from './evidence-view.js';
import { REPORT_LIMIT, type Received, readFindings, receive, receiveAttestation } from './receive.js';
import { type Bound, isStated, subjectForms, subjectNames, toBound } from './subject.js';

const subjectQuery = Object.fromEntries(
  subjectNames.map((name): [string, Schema] => [
    name,
    { type: 'string', maxLength: 400, description: `of which it is: ${subjectForms[name]}` },
  ]),
);
const repository: Schema = {
  type: 'string',
  pattern: '^[\\x21-\\x7e]{1,200}$',
  description: 'of the commit; of a job its identity token says it',
};
const format: Schema = {
  type: 'string',
  enum: [...scanFormats, 'dsse'],
  description: 'what the tool wrote; dsse: an in-toto statement that an attestor of a Gate signed',
};
const body: Schema = {
  type: ['object', 'array', 'string'],
  description: `the report as the tool wrote it, at most ${REPORT_LIMIT} bytes; it is read while it comes in`,
};
const withdrawn: Schema = {
  ...{ type: 'object', additionalProperties: false, required: ['reason'], description: 'reason' },
  properties: {
    reason: {
      ...{ type: 'string', minLength: 1, maxLength: 1000, pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$' },
      description: 'why; the log holds a commitment to it',
    },
  },
};
const findingProperties: Readonly<Record<string, Schema>> = {
  rule: { type: 'string' },
  severity: { type: 'string', enum: severities },
  fixable: { type: 'boolean' },
  place: { type: 'string', description: 'coordinates: package and version, file and line, resource' },
  fingerprint: { type: 'string', description: 'the same finding in other reports' },
  state: { type: 'string', enum: ['open', 'suppressed'] },
};
const finding: Schema = { type: 'object', required: Object.keys(findingProperties), properties: findingProperties };
const list = (of: Schema): Schema => ({
  type: 'object',
  required: ['items', 'next'],
  properties: { items: { type: 'array', items: of }, next: { type: ['string', 'null'] } },
});

@Controller('v1/evidence')
export class EvidenceController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'evidence:send', status: 201, answer: evidenceSchema, body },
    bodyTypes: ['application/json', 'application/sarif+json', 'application/xml', 'application/octet-stream'],
    query: { format, ...subjectQuery, repository },
    summary: 'send a report of a scanner or a test; the same one again gives what is there',
  })
  async send(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
    @Query() query: Readonly<Record<string, unknown>>,
  ): Promise<object> {
    const { job, personId } = callerOf(request);
    if (request.headers['content-encoding'] !== undefined) throw toError('REQUEST_TYPE_UNSUPPORTED', { expected: 'the report as it is' });
    const of = query['format'] === 'dsse' ? undefined : readFormat(query['format']);
    const bound = toBound(readTexts(query), job);
    requireRight(request, 'evidence:send', bound.kind === 'environment' ? [bound.name] : []);
    const read = of === undefined ? this.readAttestation(request, bound, job) : readReport(request, of, bound, job);
    const said = await read.catch((error: unknown) => {
      throw error instanceof BautaError ? error : toError('EVIDENCE_UNREADABLE');
    });
    const { kind: subjectKind, name: subject, line } = bound;
    const what = { ...said, subjectKind, subject, line, receivedBy: personId };
    const { row, isNew } = await this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      const result = await transaction.evidence.receive(what);
      if (result.isNew) await this.tell(transaction, result.row);
      return result;
    });
    if (!isNew) response.status(200);
    response.setHeader('Location', `/v1/evidence/${row.id}`);
    return toEvidenceView(row);
  }

  @Route({
    ...{ method: 'GET', needs: 'evidence:read', answer: list(evidenceSchema), errors: [400, 422] },
    query: { ...pageSchema, ...subjectQuery },
    summary: 'reports that were sent, newest first; those of a commit, an image or an environment',
  })
  async list(@Req() request: Request, @Query() query: Readonly<Record<string, unknown>>): Promise<object> {
    const page = readPage(query);
    if (page.after !== undefined && !isUuid(page.after))
      throw toError('REQUEST_INVALID', { name: 'cursor', expected: '`next` of the page before' });
    const said = readTexts(query);
    const bound = subjectNames.some((name) => said[name] !== undefined) ? toBound(said, undefined) : undefined;
    return this.metadata.within(callerOf(request).workspaceId, async ({ evidence }) => {
      const rows = await evidence.list({ ...page, ...(bound ? { subject: bound } : {}) });
      const { items, next } = toPage(rows, page.limit, ({ id }) => id);
      return { items: items.map(toEvidenceView), next };
    });
  }

  @Route({
    ...{ method: 'GET', path: ':id', needs: 'evidence:read', answer: evidenceSchema, errors: [404] },
    summary: 'a report that was sent',
  })
  async get(@Req() request: Request, @Param('id') id: string): Promise<object> {
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => toEvidenceView(await find(transaction, id)));
  }

  @Route({
    ...{ method: 'GET', path: ':id/findings', needs: 'evidence:read', answer: list(finding), errors: [400, 404] },
    query: { limit: pageSchema['limit'] as Schema, cursor: pageSchema['cursor'] as Schema },
    summary: 'what a report found, worst first, as far as it is kept',
  })
  async findings(@Req() request: Request, @Param('id') id: string, @Query() query: Readonly<Record<string, unknown>>): Promise<object> {
    const { limit, after = '0' } = readPage(query);
    if (!/^\d{1,6}$/.test(after)) throw toError('REQUEST_INVALID', { name: 'cursor', expected: '`next` of the page before' });
    const kept = await this.metadata.within(callerOf(request).workspaceId, async (transaction) =>
      transaction.evidence.findings((await find(transaction, id)).id),
    );
    const from = Number(after);
    const all = await readFindings(kept!);
    return toPage(all.slice(from, from + limit), limit, () => String(from + limit));
  }

  @Route({
    ...{ method: 'POST', path: ':id/withdraw', needs: 'evidence:withdraw', answer: evidenceSchema, body: withdrawn, errors: [404] },
    summary: 'a report counts no more: what was let through by it is decided again',
  })
  async withdraw(@Req() request: Request, @Param('id') id: string): Promise<object> {
    const { workspaceId, personId: actor } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      const { subjectKind, subject } = await find(transaction, id);
      requireRight(request, 'evidence:withdraw', subjectKind === 'environment' ? [subject] : []);
      const { reason } = parseRequest<{ readonly reason: string }>(request.body, withdrawn);
      const committed = await transaction.log.keepText(reason);
      if (await transaction.evidence.withdraw(id, actor, committed)) {
        const data = { evidence: id, subjectKind, subject, reason: { committed } };
        await transaction.audit({ type: 'evidence.withdrawn', at: toTimestamp(this.clock.now()), actor, data });
      }
      return toEvidenceView(await find(transaction, id));
    });
  }

  /** By the keys of every gate: which of them a gate believes it says itself. Its subject MUST be what the request says. */
  private async readAttestation(request: Request, bound: Bound, job: Producer | undefined): Promise<Said> {
    if (bound.kind === 'environment') throw toError('EVIDENCE_SUBJECT', { expected: 'commit or image: an attestation is of a digest' });
    const keys = await this.metadata.within(callerOf(request).workspaceId, findAttestorKeys);
    const { attestation, received } = await receiveAttestation(request, keys);
    if (!attestation.digests.has(bound.name)) throw toError('EVIDENCE_CONTRADICTS', { name: bound.kind });
    return { ...received, format: attestation.format, subjectStated: true, producer: { ...job, attestor: attestation.attestor } };
  }

  private async tell(transaction: Transaction, row: EvidenceRow): Promise<void> {
    const { id, format: form, subjectKind, subject, subjectStated, missing, receivedBy: actor, producer } = row;
    const digest = Buffer.from(row.digest).toString('hex');
    const numbers = Object.fromEntries(['repository', 'run'].flatMap((name) => (/^\d{1,19}$/.test(producer?.[name] ?? '') ? [[name, producer![name]!]] : []))); // prettier-ignore
    const data = { evidence: id, digest, format: form, subjectKind, subject, subjectStated, missing, counts: row.counts, ...numbers };
    await transaction.audit({ type: 'evidence.received', at: toTimestamp(this.clock.now()), actor, data });
  }
}

type Said = Received & Pick<NewEvidence, 'format' | 'subjectStated' | 'producer'>;

async function readReport(request: Request, format: ScanFormat, bound: Bound, job: Producer | undefined): Promise<Said> {
  const { scan, received } = await receive(format, request);
  return { ...received, format, subjectStated: isStated(bound, scan, job), producer: job ?? null };
}

async function findAttestorKeys({ documents }: Transaction): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let after: string | undefined; ;) {
    const page = await documents.list('Gate', 200, after);
    keys.push(...page.flatMap(({ document }) => ((document as Partial<GateDefinition>).attestors ?? []).map(({ key }) => key)));
    after = page.at(-1)?.name;
    if (page.length < 200) return [...new Set(keys)];
  }
}

async function find({ evidence }: Transaction, id: string): Promise<EvidenceRow> {
  const row = await evidence.find(requireUuid(id, 'evidence'));
  if (!row) throw toError('RESOURCE_UNKNOWN', { type: 'evidence' });
  return row;
}

function readFormat(text: unknown): ScanFormat {
  const found = scanFormats.find((one) => one === text);
  if (!found) throw toError('REQUEST_INVALID', { name: 'format', expected: scanFormats.join(', ') });
  return found;
}

function readTexts(query: Readonly<Record<string, unknown>>): Readonly<Partial<Record<SubjectKind | 'repository', string>>> {
  const names = [...subjectNames, 'repository'] as const;
  const entries = names.flatMap((name): readonly (readonly [string, string])[] => {
    const value = query[name];
    if (value === undefined) return [];
    if (typeof value !== 'string' || value.length > 400) throw toError('REQUEST_INVALID', { name, expected: 'one text' });
    return [[name, value]];
  });
  return Object.fromEntries(entries);
}
