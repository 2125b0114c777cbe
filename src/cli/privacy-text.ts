// What was measured of a copy's privacy, in a few lines: the worst of each measure, and where.
import type { PrivacyMeasures, TablePrivacy } from '../pipeline/privacy.js';
import { paint, stripControls, toTable } from './print.js';

/** A share as percent, with two digits below ten. */
const toShare = (part: number, of: number): string => {
  if (of === 0) return 'none';
  const percent = (100 * part) / of;
  return `${percent === 0 ? '0' : percent < 0.01 ? '< 0.01' : percent < 10 ? percent.toFixed(2) : percent.toFixed(1)} %`;
};

/** The sum, then a line per table, the worst five. Nothing where no table speaks of persons. */
export function toPrivacyText(measures: PrivacyMeasures, stream: NodeJS.WriteStream = process.stderr): string | undefined {
  const { beyond, unknown, tables, tablesMeasured, limits, dictionary } = measures;
  if (tablesMeasured === 0) return undefined;
  const colour = beyond.length === 0 ? 32 : limits.severity === 'warn' ? 33 : 31;
  const sum =
    beyond.length === 0 ? paint('within the limits', colour, stream) : paint(`beyond the limit: ${beyond.join(', ')}`, colour, stream);
  const open = unknown.length === 0 ? '' : `; not known: ${unknown.join(', ')}`;
  const digests =
    dictionary && dictionary.values > 0 ? `; ${dictionary.values} digests looked up, ${measures.worst.dictionary ?? 0} found` : '';
  const told = tables.filter(tells);
  const more = told.length > 5 ? `\n  ${told.length - 5} more tables with --json` : '';
  const lines = told.length === 0 ? '' : `\n${toTable(told.slice(0, 5).map(toLine))}${more}`;
  return stripControls(`privacy  ${sum}${open}${digests}${lines}`, '\n\u001b');
}

const tells = ({ quasi, linked, linkedByAll, guessed, followed }: TablePrivacy): boolean =>
  quasi !== null || linked !== null || linkedByAll !== null || guessed.length > 0 || followed !== null;

/** What is certain, and between those of which nothing is, the rate. */
const toGain = ({ beyondChance, guessed, chance, rows }: TablePrivacy['guessed'][number]): number =>
  beyondChance + (guessed - chance) / Math.max(1, rows) / 1000;

function toLine({ schema, table, quasi, linked, linkedByAll, guessed, followed }: TablePrivacy): readonly string[] {
  const link = linked ?? linkedByAll;
  const worst = guessed.reduce<(typeof guessed)[number] | undefined>(
    (found, one) => (found && toGain(found) >= toGain(one) ? found : one),
    undefined,
  );
  const words = [
    ...(quasi ? [`k = ${quasi.k}, ${toShare(quasi.unique, quasi.rows)} alone by ${quasi.columns.join('+')}`] : []),
    ...(link ? [`${toShare(link.linked, link.rows)} linked by ${link.columns.join('+')}${linked ? '' : ' (not called personal)'}`] : []),
    ...(worst ? [`${worst.column} guessed ${toShare(worst.guessed, worst.rows)}, by chance ${toShare(worst.chance, worst.rows)}`] : []),
    ...(followed ? [`${toShare(followed.unique, followed.persons)} of persons alone over ${followed.tables.length + 1} tables`] : []),
  ];
  return ['', stripControls(`${schema}.${table}`), stripControls(words.join('; '))];
}
