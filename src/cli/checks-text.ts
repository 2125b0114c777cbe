// What checks counted, as aligned lines: one each.
import type { CheckResult } from '../pipeline/check.js';
import { toTally } from '../pipeline/check.js';
import { toSeen } from '../pipeline/verify/verify.js';
import { paint, stripControls, toCount, toTable } from './print.js';

const colours = { pass: 32, fail: 31, 'not-run': 31 } as const;

/** The sum, then a line per check. */
export function toChecksText(checks: readonly CheckResult[], stream: NodeJS.WriteStream = process.stderr): string {
  const { fail, notRun } = toTally(checks);
  const sum = `checks   ${toCount(checks.length, 'check')}: ${fail + notRun === 0 ? paint('all passed', 32, stream) : `${paint(`${fail} failed`, 31, stream)}, ${notRun} not run`}`;
  return stripControls(`${sum}\n${toTable(checks.map((check) => toLine(check, stream)))}`, '\n\u001b');
}

function toLine(check: CheckResult, stream: NodeJS.WriteStream): readonly string[] {
  const { name, kind, severity, outcome, schema, table, columns, expected, sqlState, why } = check;
  const of = schema === null || table === null ? '' : ` of ${[schema, table, columns.join('+')].filter((part) => part !== '').join('.')}`;
  const seen = outcome === 'not-run' ? `not made: ${why ?? `SQLSTATE ${sqlState ?? ''}`}` : `${toSeen(check)}; expected ${expected}`;
  const failed = outcome === 'fail' ? ` (${severity})` : '';
  return [
    paint(outcome.padEnd(7), outcome === 'fail' && severity === 'warn' ? 33 : colours[outcome], stream),
    stripControls(name),
    stripControls(`${kind}${of}: ${seen}${failed}`),
  ];
}
