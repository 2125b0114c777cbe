import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { systemClock } from '../../src/kernel/clock.js';
import { toSigner } from '../../src/kernel/signed-note.js';
import type { SourceDescription } from '../../src/pipeline/ports.js';
import { openSource, survey } from '../../src/systems/postgres/postgres.js';
import { type TargetWorld, logSigner, stage, startTargetWorld } from '../support/target-world.js';

let world: TargetWorld;
beforeAll(async () => {
  world = await startTargetWorld();
  const target = world.target('masked');
  await (await stage(target)).publish();
  await target.close();
}, 60_000);
afterAll(() => world.server.stop());

async function describeSource(
  database: string,
  exclude: readonly string[] = [],
  verifiers = [logSigner.verifier],
): Promise<SourceDescription> {
  const connection = { name: 'env:SOURCE', url: world.server.url(database) };
  const source = openSource({ connection, settings: {}, writable: { reason: 'a test' }, clock: systemClock, verifiers });
  try {
    return await source.describe({ include: [], exclude });
  } finally {
    await source.close();
  }
}

const schemasOf = ({ catalogue }: SourceDescription): string[] => catalogue.schemas.map(({ name }) => name);
const about = ({ findings }: SourceDescription): string[] =>
  findings.filter(({ where }) => where.schema === 'bauta').map(({ severity, code }) => `${severity} ${code}`);

it('leaves our own marker out of the copy and tells it, and classify does not ask what its columns are', async () => {
  const described = await describeSource('masked');
  expect(schemasOf(described)).toEqual(['Sales Dept', 'public']);
  expect(described.catalogue.tables.map(({ name }) => name)).toEqual(['order', 'person']);
  expect(about(described)).toEqual(['warning SOURCE_MARKER_LEFT_OUT']);
  const { catalogue } = await survey({ name: 'env:SOURCE', url: world.server.url('masked') }, { include: [], exclude: [] });
  expect(catalogue.tables.map(({ name }) => name)).toEqual(['order', 'person']);
});

it('takes a marker of another log, one that was edited, and any other schema of the name for a finding, until it is excluded', async () => {
  expect(about(await describeSource('masked', [], [toSigner('other').verifier]))).toEqual(['error SCHEMA_NAME_RESERVED']);
  await world.server.create('edited', 'masked');
  await world.server.sql('edited', 'UPDATE bauta.dataset SET version = 7');
  expect(about(await describeSource('edited'))).toEqual(['error SCHEMA_NAME_RESERVED']);
  await world.server.create('theirs');
  await world.server.sql('theirs', 'CREATE SCHEMA bauta; CREATE TABLE bauta.dataset (id int); CREATE TABLE public.t (id int)');
  const described = await describeSource('theirs');
  expect(about(described)).toEqual(['error SCHEMA_NAME_RESERVED']);
  expect(schemasOf(described)).toContain('bauta');
  const excluded = await describeSource('theirs', ['bauta.*']);
  expect(about(excluded)).toEqual([]);
  expect(schemasOf(excluded)).toEqual(['public']);
  // Someone's object beside the marker is no part of it, and what is not copied must not be copied in silence.
  await world.server.create('beside', 'masked');
  await world.server.sql('beside', 'CREATE TABLE bauta.more (id int)');
  expect(about(await describeSource('beside'))).toEqual(['error SCHEMA_NAME_RESERVED']);
});
