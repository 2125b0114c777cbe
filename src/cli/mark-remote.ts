// `bauta hold --server` and `bauta revoke --server`: said of a version that a run of the service published. A lift waits for a second person.
import { toError } from '../kernel/errors.js';
import type { MarkedDataset } from '../pipeline/marked-datasets.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { toHeldText, toRevokedText } from './mark-text.js';
import type { Place } from './place.js';
import { paint, writeJson } from './print.js';
import type { Server } from './server.js';

type There = Extract<Place, { readonly server: Server }>;

interface Wanted extends GlobalOptions {
  readonly reason: string;
  /** Absent: it is lifted. */
  readonly until?: string | undefined;
}

/** As `/v1/datasets/current` has it, as far as it is needed here. */
interface Marked {
  readonly target: string;
  readonly heldUntil: string | null;
}

export async function holdThere(place: There, version: number, options: Wanted): Promise<number> {
  const { reason, until } = options;
  const { path, heldUntil = null } = await find(place, version);
  if (until === undefined) {
    const { approval } = await place.server.post<{ approval: { id: string; expiresAt: string } }>(`${path}/hold/lift`, { reason });
    const waits = `${paint('waits', 33, process.stdout)} until ${approval.expiresAt} for a second person, and it is held as before`;
    say(options, { version, until: heldUntil, approval }, `${waits}: bauta approvals approve ${approval.id}`);
    return 2;
  }
  const held = await place.server.post<Marked>(`${path}/hold`, { reason, until });
  say(options, { version, until: held.heldUntil }, toHeldText(held.target, version, held.heldUntil ?? until));
  return 0;
}

export async function revokeThere(place: There, version: number, options: Wanted): Promise<number> {
  const { path } = await find(place, version);
  const { target } = await place.server.post<Marked>(`${path}/revoke`, { reason: options.reason });
  say(options, { version }, toRevokedText(target, version));
  return 0;
}

/** A worker looks which run made it. Throws DATASET_UNKNOWN. */
async function find({ server, pipeline }: There, version: number): Promise<{ readonly path: string; readonly heldUntil?: string }> {
  const { items } = await server.ask<{ items: readonly MarkedDataset[] }>('GET', `/v1/datasets?pipeline=${encodeURIComponent(pipeline)}`);
  const found = items.find((one) => one.version === version && one.state !== 'staging');
  if (!found) throw toError('DATASET_UNKNOWN', { name: pipeline, amount: String(version) });
  const { runId, heldUntil } = found;
  return { path: `/v1/datasets/${encodeURIComponent(runId)}`, ...(heldUntil === undefined ? {} : { heldUntil }) };
}

function say(options: GlobalOptions, json: object, text: string): void {
  if (wantsJson(options)) writeJson({ ...json, findings: [] });
  else process.stdout.write(`${text}\n`);
}
