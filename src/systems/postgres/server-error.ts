// A server's error becomes ours: SQLSTATE and the fields that name things. Its texts hold values of rows and are never passed on.
import pg from 'pg';

import { BautaError, type Where, toError } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/messages.js';

const byState: Readonly<Record<string, ErrorCode>> = {
  '28000': 'CONNECTION_REFUSED_LOGIN',
  '28P01': 'CONNECTION_REFUSED_LOGIN',
  '3D000': 'DATABASE_MISSING',
  '53100': 'SERVER_DISK_FULL',
  '53200': 'SERVER_OUT_OF_MEMORY',
  '53300': 'SERVER_TOO_MANY_CONNECTIONS',
  '55P03': 'LOCK_TIMEOUT',
  '57014': 'STATEMENT_TIMEOUT',
  '25006': 'SERVER_READ_ONLY',
  '42501': 'PRIVILEGE_MISSING',
  '40001': 'SOURCE_REPLICA_CONFLICT',
  '40P01': 'LOCK_TIMEOUT',
};

const unreachable = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ENOENT']);

/**
 * The error to throw for whatever a server call threw. `where` names connection and stage; schema, table, column, constraint and type
 * are added from the server's own fields. An error of ours passes unchanged.
 */
export function toServerError(cause: unknown, where: Where & { connection: string }): BautaError {
  if (cause instanceof BautaError) return cause;
  if (cause instanceof pg.DatabaseError && cause.code) {
    const at: Where = { ...where, sqlState: cause.code };
    for (const [member, value] of Object.entries({
      schema: cause.schema,
      table: cause.table,
      column: cause.column,
      constraint: cause.constraint,
      type: cause.dataType,
    })) {
      if (value) Object.assign(at, { [member]: value });
    }
    // The only way to tell a hiding policy from a missing GRANT: both are 42501, and the routine's name is in no language.
    if (cause.code === '42501' && cause.routine === 'check_enable_rls') return toError('ROW_SECURITY_HIDES_ROWS', at);
    // Class 57P: the server ends the session, class 08: the connection is gone, 25P03 and 25P04: an idle or long transaction was ended.
    const lost = /^(57P|08|25P03|25P04)/.test(cause.code);
    return toError(byState[cause.code] ?? (lost ? 'CONNECTION_LOST' : 'SERVER_ERROR'), at);
  }
  const code = (cause as { code?: unknown } | null)?.code;
  if (typeof code === 'string' && unreachable.has(code)) return toError('CONNECTION_UNREACHABLE', where);
  return toError('CONNECTION_LOST', where);
}
