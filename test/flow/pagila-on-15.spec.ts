import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { Plan } from '../../src/pipeline/plan.js';
import { type DebianServer, hasDebianServer, startDebianServer } from '../support/debian-server.js';
import { findDifferences, hasPagila, provisionPagila, references, startPagila } from '../support/pagila.js';
import type { Sample, World } from '../support/shop.js';

const possible = hasDebianServer() && hasPagila();

(possible ? describe : describe.skip)("Pagila on Debian's Postgres 15", () => {
  let server: DebianServer;
  let sample: Sample;
  let world: World;
  let plan: Plan;

  beforeAll(async () => {
    server = await startDebianServer();
    sample = await startPagila(server);
    world = await sample.world('pagila');
    plan = await provisionPagila(world);
  }, 120_000);
  afterAll(async () => {
    await sample.stop();
  });

  it('has the schema of its source but for the marker: pg_dump -s writes the same text', () => {
    const dump = (database: string, ...more: string[]): string => server.dump(database, '-s', '--no-owner', '--no-privileges', ...more);
    const source = dump(world.production);
    expect(source.length).toBeGreaterThan(40_000);
    expect(dump(world.target, '-N', 'bauta')).toBe(source);
    expect(dump(world.target)).toContain('CREATE TABLE bauta.dataset (');
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
    expect(Number(copy[0]?.['payments'])).toBeGreaterThan(10_000);
  });
});
