// References that the plan itself cuts are made for the rows that come; whether those that are there hold is found out after the data.
import { toSqlName } from '../../kernel/sql-name.js';
import type { Catalogue, Table } from '../../pipeline/catalogue.js';
import type { DeliveryPlan } from '../../pipeline/delivery-plan.js';
import type { Statement } from './ddl/ddl.js';
import { quoteLiteral, quoteName, quoteQualified } from './quote.js';

export interface Cut {
  readonly table: Table;
  readonly constraint: string;
}

/** References that the plan itself cuts. That of a partitioned table cannot be left unchecked before 18: the plan refuses one that would not hold. */
export function findCut({ tables }: Catalogue, { cutReferences }: Pick<DeliveryPlan, 'cutReferences'>): readonly Cut[] {
  const cut = new Set(cutReferences.map(({ table, constraint }) => `${table} ${constraint}`));
  return tables.flatMap((table) =>
    table.constraints
      .filter(({ name, kind, validated, inherited }) => {
        const unchecked = kind === 'f' && validated && !inherited && table.kind === 'r';
        return unchecked && cut.has(`${toSqlName(table.schema, table.name)} ${name}`);
      })
      .map(({ name }) => ({ table, constraint: name })),
  );
}

/** Made for the rows that come; whether those that are there hold is found out afterwards. */
export function leaveUnchecked(catalogue: Catalogue, cut: readonly Cut[]): Catalogue {
  const tables = catalogue.tables.map((table) => {
    const names = new Set(cut.filter((one) => one.table === table).map(({ constraint }) => constraint));
    const constraints = table.constraints.map((constraint) =>
      names.has(constraint.name) ? { ...constraint, validated: false, definition: `${constraint.definition} NOT VALID` } : constraint,
    );
    return { ...table, constraints };
  });
  return { ...catalogue, tables };
}

/** Where no row is missing after all the reference is as valid as the source's; where one is, the verifier counts and tells. */
export function toValidation({ table, constraint }: Cut): Statement {
  const validate = `ALTER TABLE ${quoteQualified(table)} VALIDATE CONSTRAINT ${quoteName(constraint)}`;
  const body = `BEGIN ${validate}; EXCEPTION WHEN foreign_key_violation THEN NULL; END`;
  return { sql: `DO LANGUAGE plpgsql ${quoteLiteral(body)}`, object: `constraint ${constraint} of ${table.schema}.${table.name}` };
}
