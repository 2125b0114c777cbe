// An archive is handed out: only that of the version that is current now, whose marker is ours and still holds, and of which the gate says today what it
// said then; and the log has who asked for it before anybody can open it.
import { toError } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import { Journal } from './audit/audit.js';
import type { KnownSource } from './gate/gate.js';
import { isMarkerOf, openMarker } from './marker.js';
import { type PermitDoors, permitAgain } from './permit-again.js';
import type { DatasetVersion } from './ports.js';
import type { ArchiveFacts, Doors } from './run.js';

export interface HandOut {
  /** Under which the log has it. */
  readonly id: string;
  readonly environment: string;
  readonly pipeline: string;
  /** Id of the person who asked. */
  readonly actor: string;
  /** Public key of whoever shall open it. */
  readonly recipient: string;
  readonly verifiers: readonly Verifier[];
  readonly knownSources: readonly KnownSource[];
  /** The key of that one file, sealed to the recipient. Throws where the file or every key of it is gone. */
  readonly open: (name: string) => Promise<Uint8Array>;
}

/** What is answered. A type, so that it is JSON. */
export type HandedOut = Pick<ArchiveFacts, 'name' | 'bytes' | 'sha256'> &
  Pick<DatasetVersion, 'target' | 'version' | 'runId'> & {
    readonly expiresAt: string;
    /** A sealed file of its own, in base64. */
    readonly key: string;
  };

/** Throws ARCHIVE_NOT_PUBLISHED, ARCHIVE_EXPIRED, and what `permitAgain` and `open` throw. */
export async function handOut(doors: PermitDoors & Pick<Doors, 'target'>, order: HandOut): Promise<HandedOut> {
  const { id, environment, pipeline, actor, recipient } = order;
  const current = (await doors.target.datasets()).find(({ state }) => state === 'current');
  if (!current) throw toError('ARCHIVE_NOT_PUBLISHED', { name: environment, expected: 'the target has no version' });
  const expiresAt = await readExpiry(doors, order, current);
  const { target, version, runId } = current;
  const [written] = (await doors.sink.read(['archive.written'], runId)).slice(-1);
  if (!written) throw toError('ARCHIVE_NOT_PUBLISHED', { name: environment, expected: `version ${version} was made without one` });
  const { name, bytes, sha256 } = written.data as unknown as ArchiveFacts;
  const journal = new Journal(doors.sink, doors.clock, id);
  await permitAgain(doors, journal, current, order.knownSources);
  const key = Buffer.from(await order.open(name)).toString('base64');
  const data = { environment, pipeline, target, version, run: runId, bytes, sha256, recipient, actor };
  await journal.append('deliver', 'dataset.pulled', data);
  return { name, bytes, sha256, target, version, runId, expiresAt, key };
}

async function readExpiry({ target, clock }: Pick<Doors, 'target' | 'clock'>, order: HandOut, current: DatasetVersion): Promise<string> {
  const opened = openMarker(await target.marker(current), order.verifiers);
  const ours = opened.state === 'whole' && opened.signer === 'checked' && isMarkerOf(opened.marker, current);
  if (!ours)
    throw toError('ARCHIVE_NOT_PUBLISHED', { name: order.environment, expected: `the marker of version ${current.version} is not ours` });
  const { expiresAt } = opened.marker;
  if (Date.parse(expiresAt) <= clock.now()) throw toError('ARCHIVE_EXPIRED', { name: order.environment, expected: expiresAt });
  return expiresAt;
}
