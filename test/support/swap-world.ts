// The sample shop on a server where nobody gets CREATEDB: a target database of each world's own, made by deploy/target-role-schemas.sql, with the
// extensions where the source has them.
import { readFileSync } from 'node:fs';

import { packageFile } from '../../src/kernel/package-root.js';
import { type Sample, type SampleOptions, type World, startSample, toWorld } from './shop.js';

export interface SwapSample extends Sample {
  /** A world whose target swaps schemas. */
  swapWorld(name: string): Promise<World>;
}

export async function startSwapSample(options: Omit<SampleOptions, 'swap'> = {}): Promise<SwapSample> {
  const sample = await startSample({ small: true, ...options, swap: true });
  return {
    ...sample,
    swapWorld: async (name) => {
      const world = await sample.world(name);
      await prepareTarget(sample, world.target);
      world.edit('pipeline.yaml', '\n  class: dev', `\n  class: dev\n  ${swapMember}`);
      return toWorld(sample.server, world.folder, { ...world.environment, BUILDER_URL: sample.url('bauta_builder', world.target) });
    },
  };
}

export const swapMember = 'swapSchemas: { reason: nobody gets CREATEDB on this server, builder: env:BUILDER_URL }';

/** What an administrator does. */
export async function prepareTarget({ server, password }: Pick<Sample, 'server' | 'password'>, database: string): Promise<void> {
  await server.create(database);
  await server.sql(database, readFileSync(packageFile('deploy', 'target-role-schemas.sql'), 'utf8'));
  await server.sql(database, `ALTER ROLE bauta_target PASSWORD '${password}'; ALTER ROLE bauta_builder PASSWORD '${password}'`);
  await server.sql(
    database,
    `CREATE EXTENSION citext; CREATE EXTENSION hstore;
     GRANT USAGE ON SCHEMA public TO bauta_builder, ${database}_owner, ${database}_rw, ${database}_ro`,
  );
}
