// The look at a source before anybody classified it: bounded in time and rows, and honest about what it did not see.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { isDataKey } from '../../src/pipeline/classify/classify.js';
import { survey, type SurveyOptions } from '../../src/systems/postgres/postgres.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let url: string;
const limits: SurveyOptions = { rowsPerTable: 50, statementMs: 60_000, wholeBytes: 1 << 30, isDataKey };
const look = (more: Partial<SurveyOptions>) =>
  survey({ name: 'env:SOURCE_URL', url }, { include: [], exclude: [] }, { ...limits, ...more });

beforeAll(async () => {
  server = await startTestServer();
  url = await server.create('budget');
  await server.sql(
    'budget',
    `CREATE TABLE event (id int, body jsonb);
     INSERT INTO event SELECT i, jsonb_build_object('a', i, 'b', jsonb_build_object('c', 'x', 'd', jsonb_build_array(1, 2, 3))) FROM generate_series(1, 200000) i;
     UPDATE event SET body = '{"rare": true}' WHERE id = 131313;
     ANALYZE`,
  );
});
afterAll(() => server.stop());

it('lists the path of one row in 200,000 when every row may be looked at', async () => {
  const { inventories, samples } = await look({});
  expect(inventories).toMatchObject([{ column: 'body', whole: true, cut: false }]);
  expect(inventories[0]?.paths.map(({ path }) => path)).toEqual(['a', 'b.c', 'b.d[]', 'rare']);
  for (const { values } of samples) expect(values.length).toBeLessThanOrEqual(50);
});

it('looks at a sample when the table is over its size or over its time, and says so', async () => {
  for (const more of [{ wholeBytes: 1 }, { statementMs: 700 }]) {
    const { inventories, findings } = await look(more);
    expect(findings).toEqual([]);
    expect(inventories).toMatchObject([{ whole: false }]);
    expect(inventories[0]?.paths.map(({ path }) => path)).toEqual(expect.arrayContaining(['a', 'b.c', 'b.d[]']));
  }
});

it('leaves no session behind', async () => {
  await look({});
  const [row] = await server.sql('budget', `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'bauta'`);
  expect(row).toEqual({ n: 0 });
});
