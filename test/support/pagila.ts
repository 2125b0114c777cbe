// Pagila (https://github.com/devrimgunduz/pagila) on a real server, from the folder beside the project, and what must hold of its masked copy.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { packageFile } from '../../src/kernel/package-root.js';
import type { Plan } from '../../src/pipeline/plan.js';
import { digestOf, toSql } from './compare.js';
import { debianProgram } from './debian-server.js';
import { type Sample, type World, requirePublished, startSample } from './shop.js';
import type { TestServer } from './server.js';

const files = ['schema', 'data'].map((part) => packageFile('..', 'shared', 'data', `pagila-${part}.sql.gz`));

/** False where the data are missing, said loudly; an error instead of false when BAUTA_WORLD=required. */
export function hasPagila(): boolean {
  if (files.every((file) => existsSync(file))) return true;
  const text = `Pagila is not there (../shared/data beside the project)`;
  if (process.env['BAUTA_WORLD'] === 'required') throw new Error(text);
  process.stderr.write(`SKIPPED: ${text}\n`);
  return false;
}

/** Loads it with Debian's psql, which talks to every newer server too: COPY blocks need one. */
export function startPagila(server: TestServer): Promise<Sample> {
  return startSample({
    server,
    documents: packageFile('test', 'flow', 'pagila'),
    load: (_, database) => {
      const script = Buffer.concat(files.map((file) => gunzipSync(readFileSync(file))));
      execFileSync(debianProgram('psql'), ['-q', '-X', '-v', 'ON_ERROR_STOP=1', '-d', server.url(database)], {
        input: script,
        stdio: ['pipe', 'ignore', 'pipe'],
      });
      return server.sql(database, 'REFRESH MATERIALIZED VIEW public.rental_by_category; ANALYZE').then(() => undefined);
    },
  });
}

export async function provisionPagila(world: World): Promise<Plan> {
  let plan: Plan | undefined;
  requirePublished(await world.provision({ hooks: { prepared: (prepared) => (plan = prepared.plan) } }));
  if (!plan) throw new Error('published without a plan');
  return plan;
}

/** Tables whose untagged columns are not the same, and tagged columns that are. Empty: as promised. */
export async function findDifferences(server: TestServer, world: World, plan: Plan): Promise<{ differences: string[]; compared: number }> {
  const differences: string[] = [];
  let compared = 0;
  for (const table of plan.tables.filter(({ kind }) => kind === 'r')) {
    const isKept = ({ rule }: (typeof table.columns)[number]): boolean => rule.transform === 'keep' && !rule.paths;
    const digests = (columns: string[]): Promise<string[]> =>
      Promise.all([world.production, world.target].map((database) => digestOf(server, database, table, columns)));
    const kept = table.columns.filter(isKept).map(({ name }) => name);
    const [source, copy] = await digests(kept);
    if (source !== copy) differences.push(`${toSql(table)} (${kept.join(', ')}) differs`);
    compared += kept.length;
    for (const { name } of table.columns.filter((column) => !isKept(column))) {
      const [row] = await world.source(`SELECT count(nullif("${name}"::text, ''))::int AS n FROM ONLY ${toSql(table)}`);
      const [before, after] = await digests([name]);
      if (Number(row?.['n']) > 0 && before === after) differences.push(`${toSql(table)}.${name} was not masked`);
    }
  }
  return { differences, compared };
}

/** Numbers that follow references in both directions of the cycle, and everything that leads to a masked key. The same in source and copy. */
export const references = `SELECT
  (SELECT count(*) FROM store s JOIN staff m ON m.staff_id = s.manager_staff_id JOIN store w ON w.store_id = m.store_id)::int AS managers,
  (SELECT md5(string_agg(m.staff_count || ':' || m.store_id, ',' ORDER BY m.store_id)) FROM (SELECT st.store_id, count(sf.*) AS staff_count FROM store st LEFT JOIN staff sf USING (store_id) GROUP BY 1) m) AS staff_of_stores,
  (SELECT md5(string_agg(s.store_id || '>' || m.store_id, ',' ORDER BY s.store_id)) FROM store s JOIN staff m ON m.staff_id = s.manager_staff_id) AS stores_of_managers,
  (SELECT count(*) FROM payment p JOIN rental r ON r.rental_id = p.rental_id AND r.customer_id = p.customer_id JOIN customer c ON c.customer_id = p.customer_id)::int AS payments,
  (SELECT md5(string_agg(n::text, ',' ORDER BY n)) FROM (SELECT count(r.*) AS n FROM customer c LEFT JOIN rental r USING (customer_id) GROUP BY c.customer_id) x) AS rentals,
  (SELECT md5(string_agg(n::text, ',' ORDER BY n)) FROM (SELECT count(r.*) AS n FROM staff s LEFT JOIN rental r USING (staff_id) GROUP BY s.staff_id) x) AS rentals_of_staff,
  (SELECT md5(string_agg(category || total_sales, ',' ORDER BY category)) FROM rental_by_category) AS sales`;
