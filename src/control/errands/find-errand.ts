// An errand as whoever asked sees it. One that nobody will end any more is ended when somebody looks.
import type { Schema } from '../../documents/documents.js';
import type { Json } from '../../kernel/canonical-json.js';
import { type BautaError, type ErrorView, type Finding, toError, toErrorView } from '../../kernel/errors.js';
import type { ErrandKind, ErrandRow, Transaction } from '../../systems/metadata/metadata.js';
import { type Permission, type Request, callerOf, environmentsOf } from '../http/http.js';
import { SILENT_MS, WAIT_MS } from './request-errand.js';

export type ErrandView = Pick<ErrandRow, 'id' | 'pipeline' | 'environment' | 'result' | 'error'> &
  Readonly<Record<'createdAt', string> & Record<'startedAt' | 'endedAt', string | null>>;

const instant: Schema = { type: ['string', 'null'], format: 'date-time' };

/** `of`: what `result` is. */
export function viewProperties(of: string): Schema {
  const properties: Readonly<Record<string, Schema>> = {
    ...{ id: { type: 'string' }, pipeline: { type: 'string' }, environment: { type: 'string' } },
    ...{ createdAt: { type: 'string', format: 'date-time' }, startedAt: instant, endedAt: instant },
    result: { type: ['object', 'null'], description: of },
    error: {
      type: ['object', 'null'],
      description: 'why there is no result, once it has ended',
      required: ['code', 'message', 'hint', 'where', 'findings'],
      properties: {
        ...{ code: { type: 'string' }, message: { type: 'string' }, hint: { type: 'string' }, where: { type: 'object' } },
        findings: { type: 'array', items: { type: 'object' } },
      },
    },
  };
  return { type: 'object', required: Object.keys(properties), properties };
}

export function toErrandView(row: ErrandRow): ErrandView {
  const { id, pipeline, environment, createdAt, startedAt, endedAt, result, error } = row;
  const at = (date: Date | null): string | null => date?.toISOString() ?? null;
  return { id, pipeline, environment, createdAt: createdAt.toISOString(), startedAt: at(startedAt), endedAt: at(endedAt), result, error };
}

export interface Wanted {
  readonly kind: ErrandKind | readonly ErrandKind[];
  readonly needs: Permission;
}

/** One of an environment that the caller may not look at is not there. Throws RESOURCE_UNKNOWN. */
export async function findErrand(transaction: Transaction, request: Request, id: string, wanted: Wanted): Promise<ErrandView> {
  const found = /^[0-9a-z]{16}$/.test(id) ? await transaction.errands.find(id) : undefined;
  const environments = environmentsOf(callerOf(request).roles, wanted.needs);
  const kinds = [wanted.kind].flat();
  if (!found || !kinds.includes(found.kind) || (environments !== 'all' && !environments.includes(found.environment)))
    throw toError('RESOURCE_UNKNOWN', { type: kinds[0] });
  return toErrandView(found.endedAt ? found : await settleLost(transaction, id));
}

/** The errand as it is; ended, where no worker will do it. Throws RESOURCE_UNKNOWN. */
export async function settleLost(transaction: Transaction, id: string): Promise<ErrandRow> {
  const row = await getErrand(transaction, id);
  const loss = row.endedAt ? undefined : await transaction.errands.findLoss(id, WAIT_MS, SILENT_MS);
  if (loss === undefined) return row;
  const error = loss === 'abandoned' ? toError('ERRAND_ABANDONED') : toError('ERRAND_UNCLAIMED', { amount: `${WAIT_MS / 1000} s` });
  await endErrand(transaction, row, { error });
  return getErrand(transaction, id);
}

async function getErrand(transaction: Transaction, id: string): Promise<ErrandRow> {
  const row = await transaction.errands.find(id);
  if (!row) throw toError('RESOURCE_UNKNOWN', { type: 'errand' });
  return row;
}

/** What an errand ended with, as the error that it was in the worker. */
export function toThrown(error: Json): BautaError {
  const { code, where, findings } = error as unknown as ErrorView & { readonly findings: readonly Finding[] };
  return toError(code, where, findings);
}

/** Those that change the world, and what the log calls them. */
export const changing: Readonly<Partial<Record<ErrandKind, string>>> = {
  rollback: 'rollback',
  expire: 'expiry',
  erase: 'subject-erasure',
  'key-rotation': 'key-rotation',
  'key-destruction': 'key-destruction',
  'secret-rotation': 'secret-rotation',
};

export interface Outcome {
  readonly result?: Json;
  readonly rolledBack?: { readonly server: string; readonly target: string; readonly runId: string };
  /** A clone as it was made; its credentials are sealed for the link's secret. */
  readonly cloned?: { readonly version: number; readonly database: string; readonly expiresAt: Date; readonly sealed: Uint8Array };
  readonly error?: BautaError;
}

/** With an event, where it is one that changes the world. The first end counts. */
export async function endErrand(
  transaction: Transaction,
  { id, kind, pipeline, environment, requestedBy, clone, wanted }: ErrandRow,
  { result, rolledBack, cloned, error }: Outcome,
): Promise<void> {
  if (cloned && clone) await transaction.clones.ready(clone, cloned);
  if (kind === 'clone' && clone && error) await transaction.clones.fail(clone, toErrorView(error));
  if (kind === 'unclone' && clone && !error) await transaction.clones.dropped(clone);
  const findings = (error?.findings ?? []) as unknown as Json;
  const ended = await transaction.errands.end(
    id,
    error ? { error: { ...(toErrorView(error) as object), findings } } : { result: result ?? {} },
  );
  if (rolledBack) await transaction.datasets.rollBack(rolledBack);
  const word = changing[kind];
  if (!ended || word === undefined) return;
  const data = { [word]: id, pipeline, environment, ...(kind === 'secret-rotation' && (wanted as Readonly<Record<string, Json>>)) };
  const event = error ? { type: `${word}.failed`, data: { ...data, code: error.code } } : { type: `${word}.done`, data };
  await transaction.audit({ ...event, at: new Date().toISOString(), actor: requestedBy });
}
