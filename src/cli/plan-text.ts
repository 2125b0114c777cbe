// A plan as lines for a terminal of 100 to 120 columns: one per column that is masked or kept by exception, one per reason for what is kept.
import { toSqlName } from '../kernel/sql-name.js';
import { type ColumnView, type PlanView, type RuleView, type TableView, usualWhy } from '../pipeline/plan-view.js';
import { toBytesText, toCount, toTable } from './print.js';

const WIDTH = 110;
/** Columns named for one reason; --json has all. */
const SHOWN = 12;

export function toPlanLines(view: PlanView): readonly string[] {
  const { pipeline, environment, keyVersion, tokenKeyVersion, keys, planDigest, tables, maskedColumns, keptColumns, bytes, peakDiskBytes } =
    view;
  const cells = tables.map(toTableCells);
  // One width for all tables, so that the eye finds a column's transform at the same place everywhere.
  const aligned = toTable([header, ...cells.flat()]).split('\n');
  let next = 1;
  return [
    `plan      ${planDigest}`,
    `pipeline  ${pipeline}, environment ${environment}, key version ${keyVersion}${tokenKeyVersion === null ? '' : `, token key version ${tokenKeyVersion}`}`,
    ...toKeysLines(keys),
    ...tables.flatMap((table, i) => {
      const rows = aligned.slice(next, (next += cells[i]?.length ?? 0));
      return ['', ...toHeading(table), ...(rows.length > 0 ? [aligned[0] ?? '', ...rows] : []), ...toReasons(table)];
    }),
    ...toRolesLines(view.roles),
    '',
    `total     ${toCount(tables.length, 'table')}, ${toCount(maskedColumns, 'column')} masked, ${keptColumns} kept`,
    `size      ${toBytesText(bytes)} to copy, up to ${toBytesText(peakDiskBytes)} more on the target while both versions stand`,
  ];
}

/** Whose keys, and how long, where they are not the environment's own and newest. */
function toKeysLines(keys: PlanView['keys']): readonly string[] {
  const { join, previous } = keys ?? {};
  return [
    ...(join
      ? fold(
          `keys      those of environment ${join.environment}: both share every pseudonym${join.tokens === true ? ', and every token' : ''} (“${join.reason}”)`,
        )
      : []),
    ...(previous ? [`keys      version ${previous.version} up to ${previous.until}, then the newest`] : []),
  ];
}

/** Who gets what, where the pipeline maps roles. */
function toRolesLines(roles: PlanView['roles']): readonly string[] {
  if (!roles) return [];
  const rights = roles.rights.flatMap(({ role, privileges, on }) => {
    const may = privileges.length === 0 ? 'loses what it has of itself' : privileges.join(', ');
    return fold(`  ${role}: ${may} on ${toSome(on)}`);
  });
  const leftOut = roles.leftOut.length === 0 ? [] : fold(`  not mapped, and left with nothing: ${toSome(roles.leftOut)}`);
  return ['', 'roles', ...rights, ...leftOut];
}

function toSome(names: readonly string[]): string {
  return names.slice(0, SHOWN).join(', ') + (names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '');
}

const header = ['COLUMN', 'TAG', 'TRANSFORM', 'SCOPE', 'LETS THROUGH', ''];

function toHeading(table: TableView): readonly string[] {
  const { schema, table: name, estimatedRows, rows, joins, loadInto } = table;
  const estimate = estimatedRows === null ? 'never analysed' : `about ${toCount(Math.round(estimatedRows), 'row')}`;
  return [
    `${toSqlName(schema, name)}  ${rows === 'none' ? 'structure only' : estimate}${rows === 'where' ? ', only those of rows.where' : ''}`,
    ...(joins.length === 0 ? [] : [`  joins ${joins.join(' and ')} to find the person of a row`]),
    ...(loadInto === null ? [] : [`  its rows go in through ${loadInto}`]),
  ];
}

function toTableCells(table: TableView): readonly (readonly string[])[] {
  return table.columns.filter(({ tag }) => tag !== 'none').flatMap(toColumnCells);
}

function toColumnCells(column: ColumnView): readonly (readonly string[])[] {
  const { unique, why, rest, paths } = column;
  const note = [unique ? 'unique' : '', why === usualWhy ? '' : why].filter((one) => one !== '').join('; ');
  const name = toSqlName(column.column);
  if (paths.length === 0) return [[name, ...toRuleCells(column), note]];
  return [
    [name, column.tag, 'by path', '', rest === null ? '' : `the rest: ${rest}`, note],
    ...paths.map((path) => [`  ${path.path}`, ...toRuleCells(path), '']),
  ];
}

function toRuleCells({ tag, transform, scope, reveals, reversible, recallPercent }: RuleView): readonly string[] {
  const kept = transform === 'keep';
  return [
    tag,
    `${transform}${recallPercent === null ? '' : ` (best effort, recall ${recallPercent} %)`}${reversible ? ' (who may can exchange it back)' : ''}`,
    kept ? '' : scope,
    kept ? 'the value' : reveals.length === 0 ? 'nothing' : reveals.join(' '),
  ];
}

/** Columns that say nothing of a person, and reasons for what is not as the rulebook has it: one line per reason, folded where it is long. */
function toReasons(table: TableView): readonly string[] {
  const lines = new Map<string, { readonly word: string; readonly said: string; readonly columns: string[] }>();
  for (const { column, tag, reason, expires, why } of table.columns) {
    if (tag !== 'none' && reason === null) continue;
    const said = reason === null ? why : `“${reason}”${expires === null ? '' : ` until ${expires}`}`;
    const word = tag === 'none' ? 'kept' : 'why';
    const line = lines.get(word + said) ?? { word, said, columns: [] };
    line.columns.push(toSqlName(column));
    lines.set(word + said, line);
  }
  return [...lines.values()].flatMap(({ word, said, columns }) => {
    return fold(`  ${`${word}:`.padEnd(5)} ${toSome(columns)} (${said})`);
  });
}

function fold(text: string): readonly string[] {
  if (text.length <= WIDTH) return [text];
  const at = text.lastIndexOf(' ', WIDTH);
  const rest = `        ${text.slice(at + 1)}`;
  return at <= 8 || rest.length >= text.length ? [text] : [text.slice(0, at), ...fold(rest)];
}
