// A login of two roles, one in use and one at rest, gets new passwords while it is used: the one at rest first, then they change places, then the
// old one. At no moment, and after no crash, does what dependents read of Vault not work. Running it again goes on where it was; `finishLogin` brings
// one that was cut short to its end and begins no other.
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
  /** By which it is known again when it was cut short. */
  readonly id: string;
  /** Before each step. */
  readonly onStep?: (step: RotationStep) => void | Promise<void>;
}

/** What stands in the secret: the first two are what dependents read. */
interface Pair {
  readonly username: string;
  readonly password: string;
  readonly other_username: string;
  readonly other_password: string;
  /** On its way to be the password of the other, which is to come into use. */
  readonly next_password?: string;
  /** On its way to be the password of the other, which was in use. */
  readonly retired_password?: string;
  /** The rotation that wrote this last. */
  readonly rotation?: string;
  readonly rotated_at?: string;
}

export interface ChangedLogin {
  /** The role that was in use, and the one that is. */
  readonly from: string;
  readonly to: string;
}

/** Throws SECRET_NOT_ROTATABLE, SECRET_CHANGED_MEANWHILE, ROTATION_FAILED (the old login is in use as before), and what Vault and Postgres throw. */
export async function rotateLogin(rotation: Rotation): Promise<ChangedLogin> {
  const secret = await openSecret(rotation);
  const before = await secret.load();
  if (before.retired_password !== undefined) await retire(rotation, secret, before);
  return goOn(rotation, secret, await secret.load());
}

/** The end of that rotation, whose process died. Undefined: nothing of it stands, what is in use was in use before it. Throws as `rotateLogin`. */
export async function finishLogin(rotation: Rotation): Promise<ChangedLogin | undefined> {
  const secret = await openSecret(rotation);
  const before = await secret.load();
  if (before.rotation !== rotation.id) return undefined;
  if (before.next_password !== undefined) return goOn(rotation, secret, before);
  if (before.retired_password !== undefined) await retire(rotation, secret, before);
  return { from: before.other_username, to: before.username };
}

async function openSecret({ definition, vault, read }: Rotation): Promise<Kept> {
  const path = parseVaultReference(definition.credentials ?? '');
  if (!path || path.field !== undefined) throw toError('SECRET_NOT_ROTATABLE', { name: definition.name });
  // What a permitted dependent may not read is not to be changed either.
  await read(definition.credentials ?? '', toPlace(definition.host ?? '', definition.port ?? 5432, definition.database ?? ''));
  return new Kept(vault, path.path, definition.name);
}

async function goOn(rotation: Rotation, secret: Kept, before: Pair): Promise<ChangedLogin> {
  const { definition, id, onStep } = rotation;
  const step = async (name: RotationStep): Promise<void> => onStep?.(name);
  await step('create');
  const next = before.next_password ?? newPassword();
  await secret.save({ ...before, next_password: next, rotation: id });
  try {
    await step('set');
    await setPassword(rotation, before.other_username, before.other_password, next);
    await step('test');
    if (!(await canLogIn(await loginOf(rotation, before.other_username, next))))
      throw toError('ROTATION_FAILED', { name: definition.name, stage: 'test' });
  } catch (error) {
    await step('put-back');
    const isSet = await canLogIn(await loginOf(rotation, before.other_username, next)).catch(() => false);
    await secret.save(settled({ ...before, other_password: isSet ? next : before.other_password }));
    throw error;
  }
  const { username: from, password: old, other_username: to } = before;
  await step('promote');
  const promoted = { username: to, password: next, other_username: from, other_password: old, rotation: id };
  // What the old password gives way to is kept in the same step: whoever finds it knows what is left to do.
  await secret.save({ ...promoted, retired_password: newPassword(), rotated_at: new Date(rotation.clock.now()).toISOString() });
  await retire(rotation, secret, await secret.load());
  return { from, to };
}

/** Once dependents are seen to get in with the new login, the password from before is not valid any more. Throws ROTATION_FAILED: it is in use again. */
async function retire(rotation: Rotation, secret: Kept, promoted: Pair): Promise<void> {
  const {
    username,
    password,
    other_username: from,
    other_password: old,
    retired_password: retired = newPassword(),
    rotation: id,
  } = promoted;
  const step = async (name: RotationStep): Promise<void> => rotation.onStep?.(name);
  await step('reconnect');
  const works = await resolveDefinition(rotation.definition, rotation.read)
    .then(canLogIn)
    .catch(() => false);
  if (!works) {
    await step('put-back');
    const isSet = await canLogIn(await loginOf(rotation, from, retired)).catch(() => false);
    await secret.save(settled({ username: from, password: isSet ? retired : old, other_username: username, other_password: password }));
    throw toError('ROTATION_FAILED', { name: rotation.definition.name, stage: 'reconnect' });
  }
  await step('revoke');
  await setPassword(rotation, from, old, retired);
  await secret.save({ ...settled({ ...promoted, other_password: retired }), ...(id === undefined ? {} : { rotation: id }) });
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

/** Nothing is on its way. */
function settled({ username, password, other_username, other_password, rotated_at }: Pair): Pair {
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
