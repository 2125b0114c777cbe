// What the laws believe of types, asked of a server: every frozen output goes into a column of its type, and comes out as it went in.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { transforms } from '../../src/pipeline/mask/registry.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { loadVectors, vectorNames } from '../support/vectors.js';

describe('the vectors on a real Postgres', () => {
  let server: TestServer;
  let client: pg.Client;

  beforeAll(async () => {
    server = await startTestServer();
    client = new pg.Client({ connectionString: await server.create('vectors') });
    await client.connect();
    await client.query("CREATE EXTENSION citext; CREATE EXTENSION hstore; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'");
  });

  afterAll(async () => {
    await client.end();
    await server.stop();
  });

  it.each(vectorNames().filter((name) => transforms.some((transform) => transform.name === name)))(
    'of %s fit the column that they are for',
    async (name) => {
      for (const { type, rows } of loadVectors(name)) {
        const display = type === 'name' || type.startsWith('char') ? type : type.replace(/^bpchar/, 'char');
        await client.query(`CREATE TEMPORARY TABLE one (value ${display})`);
        for (const { out } of rows) {
          if (out === undefined || out === null) continue;
          const { rows: back } = await client.query<{ value: string; equal: boolean }>(
            `WITH new AS (INSERT INTO one VALUES ($1::text::${/^(var)?char|^bpchar/.test(display) ? 'text' : display}) RETURNING value)
           SELECT value::text AS value, value = $1::text::${display} AS equal FROM new`,
            [out],
          );
          expect(back[0]?.equal).toBe(true);
          if (/^(text|varchar|citext|date|timestamp|int|uuid)/.test(type)) expect(back[0]?.value).toBe(out);
        }
        await client.query('DROP TABLE one');
      }
    },
  );
});
