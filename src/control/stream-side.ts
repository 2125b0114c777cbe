// Where a pipeline's target is a broker: the connection to it, and where it is proved what stands there.
import { toUrlPlace } from '../documents/documents.js';
import { toError } from '../kernel/errors.js';
import type { ConnectionDefinition, TargetDefinition } from '../pipeline/definition.js';
import { type BrokerTarget, type ReadReference, resolveBroker, resolveBrokerDefinition } from '../systems/kafka/kafka.js';
import type { ConnectionTarget } from '../systems/postgres/postgres.js';

export interface StreamSide {
  readonly broker: BrokerTarget;
  /** As `kafka.proving` names it; absent: a server of the run's own. */
  readonly proving?: ConnectionTarget | undefined;
  /** NAME:PASSWORD at the schema registry that `kafka.rows` names. */
  readonly registryLogin?: string | undefined;
}

export interface TargetSide {
  /** Of a broker it leads nowhere: who takes it for a database is refused. */
  readonly target: ConnectionTarget;
  readonly stream?: StreamSide;
}

/** `resolve`: of databases. Clear text beyond this machine takes class `dev` and a Connection that gives a reason. */
export async function resolveTarget(
  { connection, class: environmentClass, kafka }: TargetDefinition,
  connections: { readonly target?: ConnectionDefinition; readonly proving?: ConnectionDefinition },
  read: ReadReference,
  resolve: (reference: string, definition?: ConnectionDefinition) => Promise<ConnectionTarget>,
): Promise<TargetSide> {
  if (!kafka) return { target: await resolve(connection, connections.target) };
  const broker = connections.target
    ? await resolveBrokerDefinition(connections.target, read, environmentClass === 'dev')
    : await resolveBroker(connection, await read(connection), read);
  const proving = kafka.proving === undefined ? undefined : await resolve(kafka.proving, connections.proving);
  const registryLogin = await readLogin(kafka.rows?.registry, read);
  return { target: nowhere(connection), stream: { broker, proving, registryLogin } };
}

/** Throws CONNECTION_REFERENCE_INVALID where a login is asked for and there is none. */
async function readLogin(
  registry: { readonly url: string; readonly login?: string } | undefined,
  read: ReadReference,
): Promise<string | undefined> {
  if (registry?.login === undefined) return undefined;
  const login = (await read(registry.login, toUrlPlace(registry.url)))?.replace(/[\r\n]+$/, '');
  if (!login?.includes(':')) throw toError('CONNECTION_REFERENCE_INVALID', { name: registry.login });
  return login;
}

export const nowhere = (name: string): ConnectionTarget => ({ name, url: '' });
