// A rotation as the log has it: that it began, and what came of it.
import { toError, toKnownError } from '../kernel/errors.js';
import { Journal } from '../pipeline/audit/audit.js';
import type { AuditSink } from '../pipeline/ports.js';
import { type Rotation, finishLogin, rotateLogin } from './rotate-login.js';

export interface Rotated {
  readonly connection: string;
  /** The role that was in use, and the one that is. */
  readonly from: string;
  readonly to: string;
}

export interface Told {
  readonly sink: AuditSink;
  readonly actor: string;
  readonly runId: string;
}

/** Throws what `rotateLogin` throws, and what the log does. */
export async function rotateSecret(rotation: Rotation, { sink, actor, runId }: Told): Promise<Rotated> {
  const journal = new Journal(sink, rotation.clock, runId);
  const connection = rotation.definition.name;
  const told = { connection, actor };
  await journal.append('control', 'secret.rotation-begun', told);
  const changed = await rotateLogin(rotation).catch(async (error: unknown) => {
    await journal.append('control', 'secret.rotation-failed', { ...told, code: toKnownError(error).code });
    throw error;
  });
  await journal.append('control', 'secret.rotated', { ...told, ...changed });
  return { connection, ...changed };
}

const endTypes = ['secret.rotated', 'secret.rotation-failed'];

/** The end of a rotation whose process died, told once. Throws as `rotateSecret`, and ROTATION_UNDONE where nothing of it stands. */
export async function finishRotation(rotation: Rotation, { sink, actor, runId }: Told): Promise<Rotated> {
  const journal = new Journal(sink, rotation.clock, runId);
  const connection = rotation.definition.name;
  const told = { connection, actor };
  const isTold = (await sink.read(endTypes, runId)).length > 0;
  try {
    const changed = await finishLogin(rotation);
    if (!changed) throw toError('ROTATION_UNDONE', { name: connection });
    if (!isTold) await journal.append('control', 'secret.rotated', { ...told, ...changed });
    return { connection, ...changed };
  } catch (error) {
    if (!isTold) await journal.append('control', 'secret.rotation-failed', { ...told, code: toKnownError(error).code });
    throw error;
  }
}
