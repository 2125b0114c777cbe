// What tables get after the data: keys, indexes, checks, references, settings, row security, comments.
import { type Constraint, type Index, type Table, type TableName, toLabel } from '../../../pipeline/catalogue.js';
import { quoteLiteral, quoteName, quoteQualified } from '../quote.js';
import { type Families, toTableKey } from './create-table.js';
import type { Rank, Step } from './step.js';

type Needs = Readonly<Record<string, readonly string[]>>;

export function toPieceSteps(table: Table, families: Families, needs: Needs): Step[] {
  const label = toTableKey(table);
  return [
    ...toKeySteps(table, needs),
    ...toIndexSteps(table, label, table.indexes, 'keys', needs),
    ...toCheckSteps(table, families, needs),
    toStatisticsStep(table, needs),
    ...toSettingSteps(table),
    ...toSecuritySteps(table),
    ...toCommentSteps(table),
  ];
}

/** Primary keys, unique and exclusion constraints; those of a partition are attached to the parent's index, as pg_dump does, and keep their names. */
function toKeySteps(table: Table, needs: Needs): Step[] {
  const key = toTableKey(table);
  return table.constraints
    .filter(({ kind }) => kind === 'p' || kind === 'u' || kind === 'x')
    .flatMap((constraint) => {
      const label = `constraint ${toLabel(table.schema, table.name, constraint.name)}`;
      const step: Step = {
        label,
        rank: 'keys',
        sql: toKeyStatements(table, constraint),
        needs: [...(needs[label] ?? []), key],
        pieceOf: key,
        ...toOwnRows(needs[label]),
      };
      return constraint.partOf ? [step, toAttachStep(table.schema, constraint.name, constraint.partOf, label)] : [step];
    });
}

/**
 * A key that is a plain index is built as one and then named: ADD CONSTRAINT locks the table against everybody while it builds, so that two keys
 * of one table would be built one after the other.
 */
function toKeyStatements(table: Table, { name, kind, columns, definition }: Constraint): readonly string[] {
  const add = `ALTER TABLE ONLY ${quoteQualified(table)} ADD CONSTRAINT ${quoteName(name)}`;
  const index = table.indexes.find((one) => one.constraint === name && one.name === name);
  const plain = index !== undefined && /^CREATE UNIQUE INDEX .+ USING btree /su.test(index.definition);
  const filled = columns.every((column) => table.columns.find((one) => one.name === column)?.notNull);
  // A partitioned table takes no index that is there already; a part's NOT NULL would become its own (18); and a primary key of columns that may
  // be empty would read the table again.
  const alone = table.kind === 'r' && table.parents.length === 0;
  if (!plain || !alone || kind === 'x' || (kind === 'p' && !filled)) return [`${add} ${definition}`];
  const [deferrable = ''] = /( DEFERRABLE)?( INITIALLY DEFERRED)?$/u.exec(definition) ?? [];
  return [index.definition, `${add} ${kind === 'p' ? 'PRIMARY KEY' : 'UNIQUE'} USING INDEX ${quoteName(name)}${deferrable}`];
}

const plainNeed = /^(table|schema|extension|collation|enum|domain|composite|range) /;

/** A function of the schema, or what stands on one, may read another table whatever it says of itself, and that has to be there then. */
function toOwnRows(needs: readonly string[] = []): Pick<Step, 'ownRows'> {
  return needs.every((need) => plainNeed.test(need)) ? { ownRows: true } : {};
}

function toAttachStep(schema: string, name: string, parent: TableName, label: string): Step {
  const sql = `ALTER INDEX ${quoteQualified(parent)} ATTACH PARTITION ${quoteQualified({ schema, name })}`;
  // The parent's index is locked; of several parts of one index one is attached at a time.
  const locks = [`index ${toLabel(parent.schema, parent.name)}`, `index ${toLabel(schema, name)}`];
  return { label: `index part ${toLabel(schema, name)}`, rank: 'index parts', sql: [sql], needs: [label], locks, pieceOf: label };
}

/** Indexes that no constraint makes, of a table or of a materialized view. */
export function toIndexSteps(owner: TableName, ownerLabel: string, indexes: readonly Index[], rank: Rank, needs: Needs): Step[] {
  return indexes.flatMap((index) => {
    const label =
      index.constraint === null
        ? `index ${toLabel(owner.schema, index.name)}`
        : `constraint ${toLabel(owner.schema, owner.name, index.constraint)}`;
    const name = { schema: owner.schema, name: index.name };
    const steps: Step[] = [];
    if (index.constraint === null) {
      const wanted = [...(needs[label] ?? []), ownerLabel];
      steps.push({ label, rank, sql: [index.definition], needs: wanted, pieceOf: ownerLabel, ...toOwnRows(needs[label]) });
      if (index.partOf) steps.push(toAttachStep(owner.schema, index.name, index.partOf, label));
    }
    const targets = (index.statisticsTargets ?? []).map(
      ({ position, target }) => `ALTER INDEX ${quoteQualified(name)} ALTER COLUMN ${position} SET STATISTICS ${target}`,
    );
    if (targets.length > 0)
      steps.push({ label: `settings of ${label}`, rank: 'table settings', sql: targets, needs: [label], pieceOf: label });
    if (index.comment !== null) {
      const sql = `COMMENT ON INDEX ${quoteQualified(name)} IS ${quoteLiteral(index.comment)}`;
      steps.push({
        label: `comment on index ${toLabel(owner.schema, index.name)}`,
        rank: 'comments',
        sql: [sql],
        needs: [label],
        pieceOf: label,
      });
    }
    return steps;
  });
}

function toCheckSteps(table: Table, families: Families, needs: Needs): Step[] {
  const key = toTableKey(table);
  const own = [key, ...families.descendants(table)];
  return table.constraints.flatMap((constraint): Step[] => {
    const { kind, references, name, definition } = constraint;
    // A not-null that is valid is part of its column.
    const made = kind === 'f' || kind === 'c' || (kind === 'n' && !constraint.validated);
    if (!made || constraint.inherited) return [];
    const label = `constraint ${toLabel(table.schema, table.name, constraint.name)}`;
    const other = references ? [toTableKey(references), ...families.descendants(references)] : [];
    const action = `ADD CONSTRAINT ${quoteName(name)} ${definition}`;
    const sql = `ALTER TABLE ${quoteQualified(table)} ${action}`;
    const alter = kind === 'c' ? { alter: { table: quoteQualified(table), action } } : {};
    const wanted = [...(needs[label] ?? []), key];
    const step: Step = {
      label,
      rank: 'checks and references',
      sql: [sql],
      needs: wanted,
      locks: [...own, ...other],
      pieceOf: key,
      ...alter,
    };
    // Looking for broken references takes long and, on its own, locks no other table out; before 18 not where one is partitioned.
    if (!references || !constraint.validated || table.kind !== 'r' || families.find(references)?.kind !== 'r') return [step];
    const look = `ALTER TABLE ${quoteQualified(table)} VALIDATE CONSTRAINT ${quoteName(name)}`;
    return [
      { ...step, sql: [`${sql} NOT VALID`] },
      { label: `validation of ${label}`, rank: 'whole tables', sql: [look], needs: [label], locks: [key], pieceOf: label },
    ];
  });
}

/** After everything that statistics are kept for. Whoever else wants the table meanwhile waits a moment: that costs less than a phase of its own. */
function toStatisticsStep(table: Table, needs: Needs): Step {
  const key = toTableKey(table);
  const kept = Object.keys(needs).filter((label) => label.startsWith('statistics ') && needs[label]?.includes(key));
  const indexes = table.indexes.map(({ name, constraint }) =>
    constraint === null ? `index ${toLabel(table.schema, name)}` : `constraint ${toLabel(table.schema, table.name, constraint)}`,
  );
  const wanted = [key, ...kept, ...indexes.flatMap((label) => [label, `settings of ${label}`])];
  return {
    label: `statistics of ${toLabel(table.schema, table.name)}`,
    rank: 'whole tables',
    sql: [`ANALYZE ${quoteQualified(table)}`],
    needs: wanted,
    pieceOf: key,
  };
}

function toSettingSteps(table: Table): Step[] {
  const label = toTableKey(table);
  const alter = `ALTER TABLE ONLY ${quoteQualified(table)}`;
  const sql: string[] = [];
  const wanted = [label];
  const keyOf = (name: string): string => {
    const constraint = table.indexes.find((index) => index.name === name)?.constraint ?? null;
    return constraint === null ? `index ${toLabel(table.schema, name)}` : `constraint ${toLabel(table.schema, table.name, constraint)}`;
  };
  if (table.clusterIndex !== undefined) {
    sql.push(`ALTER TABLE ${quoteQualified(table)} CLUSTER ON ${quoteName(table.clusterIndex)}`);
    wanted.push(keyOf(table.clusterIndex));
  }
  const identity = table.replicaIdentity;
  if (identity?.kind === 'n') sql.push(`${alter} REPLICA IDENTITY NOTHING`);
  if (identity?.kind === 'f') sql.push(`${alter} REPLICA IDENTITY FULL`);
  if (identity?.kind === 'i' && identity.index !== undefined) {
    sql.push(`${alter} REPLICA IDENTITY USING INDEX ${quoteName(identity.index)}`);
    wanted.push(keyOf(identity.index));
  }
  return sql.length === 0 ? [] : [{ label: `settings of ${label}`, rank: 'table settings', sql, needs: wanted, locks: [label] }];
}

function toSecuritySteps(table: Table): Step[] {
  const label = toTableKey(table);
  const alter = `ALTER TABLE ONLY ${quoteQualified(table)}`;
  const sql: string[] = [];
  if (table.rowSecurity) sql.push(`${alter} ENABLE ROW LEVEL SECURITY`);
  if (table.forceRowSecurity) sql.push(`${alter} FORCE ROW LEVEL SECURITY`);
  return sql.length === 0 ? [] : [{ label: `row security of ${label}`, rank: 'policies', sql, needs: [label], locks: [label] }];
}

function toCommentSteps(table: Table): Step[] {
  const label = toTableKey(table);
  const name = quoteQualified(table);
  const comment = (on: string, target: string, text: string | null, needed: string): Step[] =>
    text === null
      ? []
      : [
          {
            label: `comment on ${on}`,
            rank: 'comments',
            sql: [`COMMENT ON ${target} IS ${quoteLiteral(text)}`],
            needs: [needed],
            pieceOf: needed,
          },
        ];
  return [
    ...comment(label, `TABLE ${name}`, table.comment, label),
    ...table.columns.flatMap((column) =>
      comment(
        `column ${toLabel(table.schema, table.name, column.name)}`,
        `COLUMN ${name}.${quoteName(column.name)}`,
        column.comment,
        label,
      ),
    ),
    ...table.constraints.flatMap((constraint) => {
      const on = `constraint ${toLabel(table.schema, table.name, constraint.name)}`;
      const separate = !constraint.inherited && (constraint.kind !== 'n' || !constraint.validated);
      return comment(on, `CONSTRAINT ${quoteName(constraint.name)} ON ${name}`, constraint.comment, separate ? on : label);
    }),
  ];
}
