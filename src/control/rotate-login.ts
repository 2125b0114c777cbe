// A login of two roles, one in use and one at rest, gets new passwords while it is used: the one at rest first, then they change places, then the
// old one. At no moment, and after no crash, does what dependents read of Vault not work. Running it again goes on where it was.
import { randomBytes } from 'node:crypto';

import type { Clock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { toPlace } from '../kernel/server-place.js';
import type { ConnectionDefinition } from '../pipeline/definition.js';
import { type ConnectionTarget, canLogIn, resolveDefinition, setOwnPassword } from '../systems/postgres/postgres.js';
import type { SecretVersion, Vault } from '../systems/vault/vault.js';
import { parseVaultReference } from '../systems/vault/vault.js';
import type { ReadSecret } from './references.js';

export type RotationStep = 'create' | 'set' | 'test' | 'promote' | 'reconnect' | 'put-back' | 'revoke';

export interface Rotation {
  readonly definition: ConnectionDefinition;
  readonly vault: Vault;
  /** As dependents read it, with their grants. */
  readonly read: ReadSecret;
  readonly clock: Clock;
  /** Before each step. */
  readonly onStep?: (step: RotationStep) => void | Promise<void>;
}

/** What stands in the secret: the first two are what dependents read. */
interface Pair {
  readonly username: string;
  readonly password: string;
  readonly other_username: string;
  readonly other_password: string;
  /** On its way to be the password of the other. */
  readonly next_password?: string;
  readonly rotated_at?: string;
}

/** Throws SECRET_NOT_ROTATABLE, SECRET_CHANGED_MEANWHILE, ROTATION_FAILED (the old login is in use as before), and what Vault and Postgres throw. */
export async function rotateLogin(rotation: Rotation): Promise<{ readonly from: string; readonly to: string }> {
  const { definition, vault } = rotation;
  const path = parseVaultReference(definition.credentials ?? '');
  if (!path || path.field !== undefined) throw toError('SECRET_NOT_ROTATABLE', { name: definition.name });
  const secret = new Kept(vault, path.path, definition.name);
  const step = async (name: RotationStep): Promise<void> => rotation.onStep?.(name);
  // What a permitted dependent may not read is not to be changed either.
  await rotation.read(definition.credentials ?? '', toPlace(definition.host ?? '', definition.port ?? 5432, definition.database ?? ''));
  const before = await secret.load();
  await step('create');
  const next = before.next_password ?? newPassword();
  await secret.save({ ...before, next_password: next });
  try {
    await step('set');
    await setPassword(rotation, before.other_username, before.other_password, next);
    await step('test');
    if (!(await canLogIn(await loginOf(rotation, before.other_username, next))))
      throw toError('ROTATION_FAILED', { name: definition.name, stage: 'test' });
  } catch (error) {
    await step('put-back');
    const isSet = await canLogIn(await loginOf(rotation, before.other_username, next)).catch(() => false);
    await secret.save(withoutNext({ ...before, other_password: isSet ? next : before.other_password }));
    throw error;
  }
  return promote(rotation, secret, before, next);
}

async function promote(
  rotation: Rotation,
  secret: Kept,
  before: Pair,
  next: string,
): Promise<{ readonly from: string; readonly to: string }> {
  const step = async (name: RotationStep): Promise<void> => rotation.onStep?.(name);
  const { username: from, password: old, other_username: to } = before;
  await step('promote');
  const promoted = { username: to, password: next, other_username: from, other_password: old };
  await secret.save({ ...promoted, rotated_at: new Date(rotation.clock.now()).toISOString() });
  await step('reconnect');
  const works = await resolveDefinition(rotation.definition, rotation.read)
    .then(canLogIn)
    .catch(() => false);
  if (!works) {
    await step('put-back');
    await secret.save(withoutNext({ ...before, other_password: next }));
    throw toError('ROTATION_FAILED', { name: rotation.definition.name, stage: 'reconnect' });
  }
  await step('revoke');
  const retired = newPassword();
  const kept = await secret.load();
  await secret.save({ ...kept, next_password: retired });
  await setPassword(rotation, from, old, retired);
  await secret.save(withoutNext({ ...kept, other_password: retired }));
  return { from, to };
}

/** Each role sets its own password, so that nobody who may set everybody's has to be there. */
async function setPassword(rotation: Rotation, role: string, now: string, next: string): Promise<void> {
  // A crash after it was set and before that was known.
  if (await canLogIn(await loginOf(rotation, role, next))) return;
  await setOwnPassword(await loginOf(rotation, role, now), next);
}

function loginOf({ definition }: Rotation, username: string, password: string): Promise<ConnectionTarget> {
  return resolveDefinition(definition, () => Promise.resolve(JSON.stringify({ username, password })));
}

const newPassword = (): string => randomBytes(32).toString('base64url');

function withoutNext({ username, password, other_username, other_password, rotated_at }: Pair): Pair {
  return { username, password, other_username, other_password, ...(rotated_at === undefined ? {} : { rotated_at }) };
}

/** The secret in Vault, written only where nobody else wrote in between. */
class Kept {
  private version = 0;

  constructor(
    private readonly vault: Vault,
    private readonly path: string,
    private readonly name: string,
  ) {}

  async load(): Promise<Pair> {
    const found: SecretVersion | undefined = await this.vault.readVersion(this.path);
    const needed = ['username', 'password', 'other_username', 'other_password'];
    const isWhole = found && needed.every((field) => typeof found.fields[field] === 'string' && found.fields[field] !== '');
    if (!isWhole || found.fields['username'] === found.fields['other_username']) throw toError('SECRET_NOT_ROTATABLE', { name: this.name });
    this.version = found.version;
    return found.fields as unknown as Pair;
  }

  async save(pair: Pair): Promise<void> {
    this.version = await this.vault.writeVersion(this.path, { ...pair }, this.version);
  }
}
