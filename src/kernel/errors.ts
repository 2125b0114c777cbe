// Errors are addresses: a closed code, coordinates, a hint. Never a value of a row, never another program's error text.
import { type ErrorClass, type ErrorCode, messages } from './messages.js';

/** Where something is. Every member is a name, a position or a count; none may hold a value of a row. */
export interface Where {
  stage?: string | undefined;
  run?: string | undefined;
  connection?: string | undefined;
  schema?: string | undefined;
  table?: string | undefined;
  column?: string | undefined;
  constraint?: string | undefined;
  /** Kind and name of another catalogue object, for example `function public.total`. */
  object?: string | undefined;
  /** A data type's name. */
  type?: string | undefined;
  /** A JSON path whose keys passed the detector, `*` for those that did not. */
  path?: string | undefined;
  file?: string | undefined;
  line?: number | undefined;
  /** 1-based position of the row in its batch, and of the batch in its table. */
  row?: number | undefined;
  batch?: number | undefined;
  /** 1-based number of the range of a big table that the batch is counted in. */
  range?: number | undefined;
  /** 0-based number of an entry of the log. */
  entry?: number | undefined;
  rule?: string | undefined;
  /** The five characters of the server's SQLSTATE. */
  sqlState?: string | undefined;
  /** The name of a setting, option, tag, transform, parameter or document member. */
  name?: string | undefined;
  /** The nearest valid word, or the list of them. */
  expected?: string | undefined;
  /** A count, a limit or a duration with its unit, for example `12 rows`. */
  amount?: string | undefined;
}

/** A thing that was found by looking. Finding is not failing: stages return all of them, sorted. */
export interface Finding {
  readonly code: ErrorCode;
  readonly severity: 'error' | 'warning';
  readonly where: Where;
  readonly message: string;
  readonly hint: string;
}

export abstract class BautaError extends Error {
  abstract readonly class: ErrorClass;
  readonly code: ErrorCode;
  readonly where: Where;
  readonly hint: string;
  /** What was found, when the error is the sum of findings. */
  readonly findings: readonly Finding[];

  constructor(code: ErrorCode, where: Where = {}, findings: readonly Finding[] = []) {
    super(fill(messages[code].message, where));
    this.name = new.target.name;
    this.code = code;
    this.where = where;
    this.hint = fill(messages[code].hint, where);
    this.findings = findings;
  }
}

/** The caller gave something that cannot be used. Exit 3. */
export class InputError extends BautaError {
  readonly class = 'InputError';
}
/** A decision said no. Exit 2. */
export class DeniedError extends BautaError {
  readonly class = 'DeniedError';
}
/** A value does not fit its transform or its column. Exit 1. */
export class DataError extends BautaError {
  readonly class = 'DataError';
}
/** Something outside is away, slow or full; trying again may help. Exit 1. */
export class UnavailableError extends BautaError {
  readonly class = 'UnavailableError';
}
/** We are wrong. Exit 1. */
export class InvariantError extends BautaError {
  readonly class = 'InvariantError';
}

const classes = { InputError, DeniedError, DataError, UnavailableError, InvariantError } as const;

/** The error of a code, in the class that its template names. */
export function toError(code: ErrorCode, where: Where = {}, findings: readonly Finding[] = []): BautaError {
  return new classes[messages[code].class](code, where, findings);
}

export function toFinding(code: ErrorCode, where: Where, severity: Finding['severity'] = 'error'): Finding {
  const { message, hint } = messages[code];
  return { code, severity, where, message: fill(message, where), hint: fill(hint, where) };
}

/** An error as JSON has it. A type, not an interface, so that it is JSON. */
export type ErrorView = Pick<Finding, 'message' | 'hint' | 'where'> & { readonly code: ErrorCode };

export function toErrorView(error: unknown): ErrorView {
  const { code, message, hint, where } = toKnownError(error);
  return { code, message, hint, where };
}

/** An error that nobody foresaw may hold anything in its text: only its class and the place in our code go further. */
export function toKnownError(error: unknown): BautaError {
  if (error instanceof BautaError) return error;
  const name = error instanceof Error && /^\w{1,40}$/.test(error.name) ? error.name : 'unknown';
  const [, place] = (error instanceof Error && /\/dist\/(src\/[\w/.-]+:\d+)/.exec(error.stack ?? '')) || [];
  return new InvariantError('UNEXPECTED', { name: place === undefined ? name : `${name} at ${place}` });
}

/** What an error has to say, as findings: those that it is the sum of, or itself. */
export function toFindings(error: unknown): readonly Finding[] {
  const { findings } = toKnownError(error);
  return findings.length > 0 ? findings : [{ ...toErrorView(error), severity: 'error' }];
}

/** Errors first, then by place and code: the order in which findings are shown and compared. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const key = (f: Finding): string =>
    [
      f.severity,
      f.where.file,
      String(f.where.line ?? 0).padStart(9, '0'),
      f.where.schema,
      f.where.table,
      f.where.column,
      f.where.path,
      f.code,
    ]
      .map((part) => part ?? '')
      .join('\u0000');
  return [...findings].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** Between parentheses, what is not known is left out with its comma; elsewhere it says so. */
function fill(template: string, where: Where): string {
  const known = where as Record<string, string | number | undefined>;
  const isKnown = (part: string): boolean => [...part.matchAll(/\{(\w+)\}/g)].every(([, member = '']) => known[member] !== undefined);
  return template
    .replace(/ \(([^()]*)\)/g, (whole, inner: string) => {
      const parts = inner.split(', ').filter(isKnown);
      return !inner.includes('{') ? whole : parts.length === 0 ? '' : ` (${parts.join(', ')})`;
    })
    .replace(/\{(\w+)\}/g, (_, member: string) => String(known[member] ?? 'unknown'));
}
