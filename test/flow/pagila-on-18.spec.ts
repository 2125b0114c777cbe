import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { Plan } from '../../src/pipeline/plan.js';
import { findTexts } from '../support/compare.js';
import { hasDebianServer } from '../support/debian-server.js';
import { findDifferences, hasPagila, provisionPagila, references, startPagila } from '../support/pagila.js';
import { type TestServer, startTestServer } from '../support/server.js';
import type { Sample, World } from '../support/shop.js';

// The embedded server has no psql; Debian's loads it.
const possible = hasDebianServer() && hasPagila();

(possible ? describe : describe.skip)('Pagila on the embedded Postgres 18', () => {
  let server: TestServer;
  let sample: Sample;
  let world: World;
  let plan: Plan;

  beforeAll(async () => {
    server = await startTestServer();
    sample = await startPagila(server);
    world = await sample.world('pagila');
    plan = await provisionPagila(world);
  }, 120_000);
  afterAll(async () => {
    await sample.stop();
  });

  it('keeps every untagged column value by value, and no tagged one', async () => {
    const { differences, compared } = await findDifferences(server, world, plan);
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(80);
  });

  it('holds both directions of its cycle, and everything else that refers to a person', async () => {
    const [source, copy] = [await world.source(references), await world.copy(references)];
    expect(copy).toEqual(source);
    expect(Number(copy[0]?.['managers'])).toBeGreaterThan(0);
  });

  it('names no customer and no member of staff by e-mail, user name or password any more', async () => {
    const people = await world.source(
      `(SELECT email FROM customer ORDER BY customer_id LIMIT 9) UNION ALL (SELECT unnest(ARRAY[email, username, password]) FROM (SELECT * FROM staff ORDER BY staff_id LIMIT 3) s LIMIT 9)`,
    );
    const texts = [...new Set(people.map(({ email }) => String(email)))];
    expect(texts.length).toBeGreaterThan(12);
    expect(await findTexts(server, world.production, texts)).not.toEqual([]);
    expect(await findTexts(server, world.target, texts)).toEqual([]);
  });
});
