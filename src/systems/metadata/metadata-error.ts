// What a metadata query threw becomes ours: SQLSTATE decides, the server's text goes nowhere.
import { QueryFailedError } from 'typeorm';

import { BautaError, toError } from '../../kernel/errors.js';

const away = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EPIPE']);

/** The SQLSTATE of what a query threw, or the system's code of what a connection threw. */
export function toState(cause: unknown): string | undefined {
  const code = (cause instanceof QueryFailedError ? (cause.driverError as { code?: unknown }) : (cause as { code?: unknown } | null))?.code;
  return typeof code === 'string' ? code : undefined;
}

export function toMetadataError(cause: unknown): BautaError {
  if (cause instanceof BautaError) return cause;
  const state = toState(cause);
  // Class 08: no connection, 57P: the server ends the session, 53: it is full, 40: try again. Without a code the connection was cut.
  if (state === undefined || away.has(state) || /^(08|57P|53|40)/.test(state))
    return toError('METADATA_UNREACHABLE', state ? { sqlState: state } : {});
  return toError('METADATA_REFUSED', { sqlState: state });
}

export const isDuplicate = (cause: unknown): boolean => toState(cause) === '23505';
