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

/** Whether that run may have read what was to be gone: it began before, or nobody knows when. */
export async function isErasurePending(
  sink: Pick<AuditSink, 'standing' | 'read'>,
  of: ErasurePlace & { readonly run: string },
): Promise<boolean> {
  const last = (await readErasures(sink, of)).at(-1);
  if (!last) return false;
  const started = (await sink.read(['run.started'], of.run)).map(({ at }) => Date.parse(at));
  return started.length === 0 || Math.min(...started) <= Date.parse(last.requestedAt);
}
