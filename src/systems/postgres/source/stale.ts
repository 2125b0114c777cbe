// Where a catalogue differs from what a plan was made on: for the message of PLAN_STALE; whether it differs, the digest says.
import type { Where } from '../../../kernel/errors.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { Plan } from '../../../pipeline/plan.js';

/** The first table or column of the plan that is not there as planned; empty when the difference lies elsewhere. */
export function findDifference(plan: Plan, catalogue: Catalogue): Where {
  for (const table of plan.tables) {
    const where: Where = { schema: table.schema, table: table.name };
    const found = catalogue.tables.find(({ schema, name }) => schema === table.schema && name === table.name);
    if (!found || found.kind !== table.kind || found.oid !== table.oid) return where;
    for (const column of table.columns) {
      const now = found.columns.find(({ attnum }) => attnum === column.attnum);
      if (now?.name !== column.name || now.type.display !== column.type.display) return { ...where, column: column.name };
    }
  }
  return {};
}

/** Another server or another database than the plan's: its rows were never looked at. A replica has the primary's identifiers. */
export function isSameSource(plan: Plan, { server }: Catalogue): boolean {
  return plan.source.systemIdentifier === server.systemIdentifier && plan.source.databaseOid === server.databaseOid;
}
