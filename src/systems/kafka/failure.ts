// What goes wrong at a broker, as one of our codes: kafkajs' texts quote addresses and what a broker said, so that only the name of Kafka's own error goes
// further, which is one of a closed list.
import { BautaError, toError, type Where } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/messages.js';

/** What kafkajs' errors have of use; all of it may be missing. */
interface Failure {
  readonly name?: string;
  readonly type?: string;
  readonly code?: string | number;
  readonly message?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
  readonly partitions?: readonly { readonly error?: unknown }[];
}

const byType: Readonly<Record<string, ErrorCode>> = {
  TOPIC_AUTHORIZATION_FAILED: 'BROKER_DENIED',
  GROUP_AUTHORIZATION_FAILED: 'BROKER_DENIED',
  CLUSTER_AUTHORIZATION_FAILED: 'BROKER_DENIED',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'BROKER_DENIED',
  SECURITY_DISABLED: 'BROKER_AUTHORIZER_MISSING',
  SASL_AUTHENTICATION_FAILED: 'BROKER_AUTH',
  UNSUPPORTED_SASL_MECHANISM: 'BROKER_AUTH',
  ILLEGAL_SASL_STATE: 'BROKER_AUTH',
  INVALID_PRODUCER_EPOCH: 'BROKER_FENCED',
  PRODUCER_FENCED: 'BROKER_FENCED',
  TRANSACTION_COORDINATOR_FENCED: 'BROKER_FENCED',
  UNKNOWN_TOPIC_OR_PARTITION: 'TOPIC_MISSING',
  TOPIC_ALREADY_EXISTS: 'TOPIC_EXISTS',
  INVALID_TOPIC_EXCEPTION: 'TOPIC_REFUSED',
  INVALID_PARTITIONS: 'TOPIC_REFUSED',
  INVALID_REPLICATION_FACTOR: 'TOPIC_REFUSED',
  INVALID_CONFIG: 'TOPIC_REFUSED',
  POLICY_VIOLATION: 'TOPIC_REFUSED',
  MESSAGE_TOO_LARGE: 'TOPIC_RECORD_LARGE',
  RECORD_LIST_TOO_LARGE: 'TOPIC_RECORD_LARGE',
  OFFSET_OUT_OF_RANGE: 'TOPIC_RECORDS_GONE',
};

const byName: Readonly<Record<string, ErrorCode>> = {
  KafkaJSSASLAuthenticationError: 'BROKER_AUTH',
  KafkaJSConnectionError: 'BROKER_UNREACHABLE',
  KafkaJSConnectionClosedError: 'BROKER_UNREACHABLE',
  KafkaJSBrokerNotFound: 'BROKER_UNREACHABLE',
  KafkaJSNoBrokerAvailableError: 'BROKER_UNREACHABLE',
  KafkaJSRequestTimeoutError: 'BROKER_UNREACHABLE',
  KafkaJSLockTimeout: 'BROKER_UNREACHABLE',
  KafkaJSTimeout: 'BROKER_UNREACHABLE',
  // Also where its answer was that this principal may not know: kafkajs asks the next broker, until there is none.
  KafkaJSGroupCoordinatorNotFound: 'BROKER_COORDINATOR_MISSING',
  KafkaJSMetadataNotLoaded: 'TOPIC_MISSING',
  KafkaJSTopicMetadataNotLoaded: 'TOPIC_MISSING',
};

/** Node's codes of TLS. A broker that wants another certificate of ours ends the session with an alert. */
export function toSocketCode(code: unknown): ErrorCode {
  const text = typeof code === 'string' ? code : '';
  if (/ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|HANDSHAKE_FAILURE|ACCESS_DENIED)/.test(text)) {
    return 'BROKER_AUTH';
  }
  if (text === 'ERR_SSL_WRONG_VERSION_NUMBER' || text === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') return 'BROKER_TLS_MISSING';
  return /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(text) ? 'BROKER_CERTIFICATE_REFUSED' : 'BROKER_UNREACHABLE';
}

/** Throws nothing of what it was given. `where` says whose broker, and which topic. */
export function toBrokerError(error: unknown, where: Where): BautaError {
  const chain = [...unfold(error)];
  const known = chain.find((one): one is BautaError => one instanceof BautaError);
  if (known) return known;
  for (const { type, code } of chain as Failure[]) {
    if (typeof type === 'string' && byType[type]) return toError(byType[type], { ...where, name: type });
    const socket = typeof code === 'string' ? toSocketCode(code) : 'BROKER_UNREACHABLE';
    if (socket !== 'BROKER_UNREACHABLE') return toError(socket, where);
  }
  if (isUnready(error)) return toError('BROKER_UNREACHABLE', where);
  for (const { type, name } of chain as Failure[]) {
    if (typeof type === 'string' && /^[A-Z_]{3,60}$/.test(type)) return toError('BROKER_REFUSED', { ...where, name: type });
    if (typeof name === 'string' && byName[name]) return toError(byName[name], where);
  }
  const name = (chain as Failure[]).map((one) => one.name ?? '').find((text) => /^KafkaJS\w{1,50}$/.test(text));
  return toError('BROKER_REFUSED', { ...where, name: name ?? 'unknown' });
}

/** kafkajs' word for a broker that it has a socket to and has not yet asked what it speaks; nothing was sent, and kafkajs itself gives up at once. */
export function isUnready(error: unknown): boolean {
  return ([...unfold(error)] as Failure[]).some(({ message }) => message === 'Broker not connected');
}

/** Is trying again worth while? */
export function isPassing(error: unknown): boolean {
  const passing = new Set([
    'NOT_LEADER_FOR_PARTITION',
    'LEADER_NOT_AVAILABLE',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'KAFKA_STORAGE_ERROR',
    'NOT_COORDINATOR_FOR_GROUP',
    'GROUP_COORDINATOR_NOT_AVAILABLE',
    'GROUP_LOAD_IN_PROGRESS',
    'NOT_CONTROLLER',
    'CONCURRENT_TRANSACTIONS',
  ]);
  const chain = [...unfold(error)] as Failure[];
  const code = toBrokerError(error, {}).code;
  return code === 'BROKER_UNREACHABLE' || code === 'TOPIC_MISSING' || chain.some(({ type }) => type !== undefined && passing.has(type));
}

/** An error and what it came of, a few deep. */
function* unfold(error: unknown, depth = 0): Generator<unknown> {
  if (typeof error !== 'object' || error === null || depth > 4) return;
  yield error;
  const { cause, errors, partitions } = error as Failure;
  yield* unfold(cause, depth + 1);
  for (const one of errors ?? []) yield* unfold(one, depth + 1);
  for (const one of partitions ?? []) yield* unfold(one.error, depth + 1);
}
