// The one printer of errors and findings, the exit code of each class, and the colours of a terminal.
import { BautaError, type Finding, toKnownError } from '../kernel/errors.js';
import type { ErrorClass } from '../kernel/messages.js';
import type { Decision } from '../pipeline/decision.js';

const exitCodes: Readonly<Record<ErrorClass, number>> = {
  InputError: 3,
  DeniedError: 2,
  DataError: 1,
  UnavailableError: 1,
  InvariantError: 1,
};

export function toExitCode(error: unknown): number {
  if (!(error instanceof BautaError)) return 1;
  return error.code === 'TIMEOUT_PASSED' ? 4 : exitCodes[error.class];
}

/** To stderr: what was found, then `error:` and `hint:`. */
export function printError(error: unknown, findings: readonly Finding[] = toKnownError(error).findings): void {
  const known = toKnownError(error);
  for (const finding of findings) process.stderr.write(`${toFindingText(finding)}\n`);
  process.stderr.write(
    `${paint('error:', 31)} ${known.code}: ${stripControls(known.message)}\n${paint('hint:', 33)}  ${stripControls(known.hint)}\n`,
  );
}

export function toFindingText({ severity, code, message, hint, where }: Finding): string {
  const place = where.file === undefined ? '' : `${where.file}${where.line === undefined ? '' : `:${where.line}`}: `;
  const word = severity === 'error' ? paint('error', 31) : paint('warning', 33);
  // The colour is ours; what else looks like one is part of a name.
  return `${stripControls(place)}${word} ${code}: ${stripControls(message)}\n    ${stripControls(hint)}`;
}

export function writeJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : undefined)}\n`);
}

/** ANSI colour on a terminal that wants it (https://no-color.org). */
export function paint(text: string, colour: number, stream: NodeJS.WriteStream = process.stderr): string {
  return stream.isTTY && !process.env['NO_COLOR'] ? `\u001b[${colour}m${text}\u001b[0m` : text;
}

/** Names come from strangers: no control character of theirs reaches a terminal. */
export function stripControls(text: string, except = ''): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (control) => (except.includes(control) ? control : '�'));
}

/** Columns of text, padded to the widest cell; the last column is not padded. */
export function toTable(rows: readonly (readonly string[])[], indent = '  '): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => [...(row[column] ?? '')].length)));
  return rows
    .map(
      (row) =>
        indent +
        row
          .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat(Math.max(0, (widths[i] ?? 0) - [...cell].length))))
          .join('  ')
          .trimEnd(),
    )
    .join('\n');
}

export function toBytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [amount, unit] = [bytes, 0];
  for (; amount >= 1000 && unit < units.length - 1; unit++) amount /= 1000;
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`;
}

const REASONS = 12;

/** The reasons of a denial, one line each, the first dozen; what to do stands once below those that it answers. */
export function toReasonsText(reasons: Decision['reasons']): string {
  const shown = reasons.slice(0, REASONS);
  const width = Math.max(...shown.map(({ code }) => code.length));
  const lines = shown.flatMap(({ code, message, hint }, i) => [
    `  ${code.padEnd(width)}  ${message}`,
    ...(shown[i + 1]?.code === code && shown[i + 1]?.hint === hint ? [] : [`  ${' '.repeat(width)}  → ${hint}`]),
  ]);
  if (reasons.length > REASONS) lines.push(`  and ${reasons.length - REASONS} more; --json has all`);
  return stripControls(lines.join('\n'), '\n');
}

export function toCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`;
}
