// Tables in staging that no plan names: an after file made them, and the marker has to know them, or they would be data that nobody knows.
import { type ManifestTable, markerSchema } from '../../../pipeline/marker.js';
import type { DeliveryPlan } from '../../../pipeline/delivery-plan.js';
import { quoteQualified } from '../quote.js';
import type { Session } from './session.js';

/** `schemas`: only in these. What the run keeps for itself in the marker's schema is gone before the marker is there. */
export async function countBeside(
  session: Session,
  { tables }: Pick<DeliveryPlan, 'tables'>,
  schemas?: readonly string[],
): Promise<readonly ManifestTable[]> {
  const planned = new Set(tables.map(quoteQualified));
  const found = await session.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '${markerSchema}')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        AND ($1::text[] IS NULL OR n.nspname = ANY ($1::text[])) ORDER BY 1, 2`,
    [schemas ?? null],
  );
  const beside: ManifestTable[] = [];
  for (const table of found.filter((one) => !planned.has(quoteQualified(one)))) {
    const [counted] = await session.query<{ rows: number }>(`SELECT count(*)::float8 AS rows FROM ONLY ${quoteQualified(table)}`);
    beside.push({ schema: table.schema, table: table.name, rows: counted?.rows ?? 0, digest: null, columns: null });
  }
  return beside;
}
