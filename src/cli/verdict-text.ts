// What verification says of each column, as aligned lines.
import type { Told } from '../pipeline/told.js';
import type { Verdict } from '../pipeline/verify/verify.js';
import { paint, stripControls, toCount, toTable } from './print.js';

type Report = Omit<Extract<Told, { kind: 'verified' }>, 'kind'>;

const colours = { zero: 32, rate: 32, 'not testable': 33 } as const;

/** Of more columns than these those are shown that a person has to look at. */
const MOST_LINES = 12;

/** The sum, then a line per personal column and path, then what no verification finds. */
export function toVerdictText({ findings, rows, verdicts }: Report): string {
  const count = (wanted: string): number => verdicts.filter(({ verdict }) => verdict === wanted).length;
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const sum = `verify   ${rows.toLocaleString('en')} rows counted and digested; ${toCount(count('zero'), 'column')} where no original may stand, ${count('rate')} compared row by row, ${count('not testable')} not testable; ${errors === 0 ? paint('nothing found', 32) : paint(toCount(errors, 'finding'), 31)}`;
  if (verdicts.length === 0) return sum;
  const shown = pick(verdicts);
  const lines = shown.map(({ schema, table, column, path, verdict, why, rows: ofTable, laws }) => [
    paint(verdict.padEnd(12), colours[verdict]),
    // Names are the source's, and colours ours.
    stripControls(`${schema}.${table}.${column}${path === undefined ? '' : ` ${path}`}`),
    stripControls(`${verdict === 'not testable' ? `${toCount(ofTable, 'row')}: ${why}` : why}; ${toLaws(laws)}`),
  ]);
  const left = verdicts.length - shown.length;
  const more = left > 0 ? `  ${left} more with --json\n` : '';
  return stripControls(`${sum}\n${toTable(lines)}\n${more}${limits}`, '\n\u001b');
}

/** What could not be tested, all of it, and then where most came out as it was beyond what chance lets expect; in the order of the plan. */
function pick(verdicts: readonly Verdict[]): readonly Verdict[] {
  if (verdicts.length <= MOST_LINES) return verdicts;
  const untested = verdicts.filter(({ verdict }) => verdict === 'not testable');
  const beyond = ({ pairs }: Verdict): number => (pairs ? pairs.unchanged - pairs.expected : -Infinity);
  const tested = verdicts.filter(({ verdict }) => verdict !== 'not testable').sort((a, b) => beyond(b) - beyond(a));
  const picked = new Set([...untested, ...tested.slice(0, Math.max(0, MOST_LINES - untested.length))]);
  return verdicts.filter((one) => picked.has(one));
}

function toLaws({ values, tested, untested }: Verdict['laws']): string {
  const not = untested.length > 0 ? `; untested: ${untested.join(', ')}` : '';
  return tested.length === 0 ? `no law tested${not}` : `${toCount(values, 'sampled value')} held to ${toCount(tested.length, 'law')}${not}`;
}

const limits =
  '  not found by design: originals under 6 characters, numbers under 9 digits and plain words inside longer text; what follows the first 63\n' +
  '  bytes of a long one; what is glued to letters or digits, encoded, hashed, rounded or rewritten (docs/threat-model.md)';
