// A clone is made and dropped by a worker, which alone may see the connection; who asked gets the credentials by a link that only he can open.
import { toError } from '../../kernel/errors.js';
import { dropClone, dropDueClones, makeClone } from '../../pipeline/clone.js';
import type { Request } from '../../pipeline/prepare.js';
import type { Doors } from '../../pipeline/run.js';
import type { CloneRow, ErrandRow, Metadata } from '../../systems/metadata/metadata.js';
import { type ConnectionTarget, toLoginUrl } from '../../systems/postgres/postgres.js';
import { seal } from '../links/links.js';
import type { Outcome } from './find-errand.js';

export async function cloneHere(
  metadata: Metadata,
  workspace: string,
  row: ErrandRow,
  doors: Doors,
  { pipeline, knownSources }: Request,
  target: ConnectionTarget,
): Promise<Outcome> {
  const wanted = await getClone(metadata, workspace, row);
  if (!wanted.linkKey) throw toError('ERRAND_ABANDONED');
  const { id, environment, purpose, hours } = wanted;
  const order = { id, environment, for: purpose, hours, allowed: pipeline.body.target.clones, knownSources, actor: row.requestedBy };
  const { clone, login } = await makeClone(doors, order);
  const sealed = seal(wanted.linkKey, id, toLoginUrl(target, login));
  const { version, database, expiresAt } = clone;
  return { result: {}, cloned: { version, database, expiresAt: new Date(expiresAt), sealed } };
}

/** Also what another process left half made of it. That it is gone already is no error. */
export async function uncloneHere(metadata: Metadata, workspace: string, row: ErrandRow, doors: Doors): Promise<Outcome> {
  const { id, environment, purpose, expiresAt } = await getClone(metadata, workspace, row);
  await dropDueClones(doors, environment);
  const there = (await doors.target.clones?.list())?.find((one) => one.id === id || one.for === purpose);
  const expired = expiresAt !== null && expiresAt.getTime() <= doors.clock.now();
  if (there) await dropClone(doors, there.id, { environment, ...(expired ? { why: 'expired' as const } : { actor: row.requestedBy }) });
  // Throws CLONE_BUSY while somebody is still at work on it.
  else await doors.target.clones?.drop(id);
  return { result: {} };
}

async function getClone(metadata: Metadata, workspace: string, { clone }: ErrandRow): Promise<CloneRow> {
  const row = await metadata.within(workspace, ({ clones }) => clones.find(clone ?? ''));
  if (!row) throw toError('RESOURCE_UNKNOWN', { type: 'clone' });
  return row;
}
