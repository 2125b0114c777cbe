// Requests to erase a person that are not at their end, and which versions may still hold whom they are about.
import type { AuditSink } from './ports.js';

export interface Erasure {
  /** A random id: all that the log knows the request by. */
  readonly id: string;
  readonly requestedAt: string;
}

export interface ErasurePlace {
  readonly server: string;
  readonly target: string;
}

/** Open ones, oldest first. */
export async function readErasures(sink: Pick<AuditSink, 'standing'>, { server, target }: ErasurePlace): Promise<readonly Erasure[]> {
  const events = await sink.standing(['erasure.requested', 'erasure.completed']);
  return events
    .filter(({ type, data }) => type === 'erasure.requested' && data['server'] === server && data['target'] === target)
    .map(({ at, data }) => ({ id: data['erasure'] as string, requestedAt: at }));
}

export interface ErasureFacts {
  /** When the first attempt of the run began; null: nobody knows. */
  readonly startedAtMs: number | null;
  /** When the newest open request was made; null: there is none. */
  readonly erasureAtMs: number | null;
}

export async function readErasureFacts(
  sink: Pick<AuditSink, 'standing' | 'read'>,
  of: ErasurePlace & { readonly run: string },
): Promise<ErasureFacts> {
  const last = (await readErasures(sink, of)).at(-1);
  const started = (await sink.read(['run.started'], of.run)).map(({ at }) => Date.parse(at));
  return { startedAtMs: started.length === 0 ? null : Math.min(...started), erasureAtMs: last ? Date.parse(last.requestedAt) : null };
}

/** Whether that run may have read what was to be gone: it began before, or nobody knows when. The policy says the same (`dataset/again`). */
export async function isErasurePending(
  sink: Pick<AuditSink, 'standing' | 'read'>,
  of: ErasurePlace & { readonly run: string },
): Promise<boolean> {
  const { startedAtMs, erasureAtMs } = await readErasureFacts(sink, of);
  return erasureAtMs !== null && (startedAtMs === null || startedAtMs <= erasureAtMs);
}
