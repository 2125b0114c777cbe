// Plans and runs of small made-up databases on a real server, composed as the command line does: `bauta plan` and `bauta run` without their printing.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { compose, type Composed } from '../../src/cli/compose.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { provision } from '../../src/pipeline/pipeline.js';
import { type Prepared, prepare } from '../../src/pipeline/prepare.js';
import { type TestServer, startTestServer } from './server.js';
import { prepareTarget, swapMember } from './swap-world.js';

export interface Planned {
  readonly sql: string;
  /** The `tables` of the classification, as YAML flow text. */
  readonly tables: string;
  /** Further members of the pipeline, as lines of YAML. */
  readonly pipeline?: string;
  /** SQL of a file of `after`. */
  readonly after?: string;
  /** Default: dev. */
  readonly environment?: string;
  /** Further members of the pipeline's target, as YAML flow text. */
  readonly target?: string;
  /** SQL in the target database before anything is asked; only where versions are schemas, and it is there before. */
  readonly there?: string;
  /** `rules` of a rulebook of its own, as YAML flow text. */
  readonly rules?: string;
}

type Ask = (text: string) => Promise<Record<string, unknown>[]>;

export interface PlanWorld {
  readonly server: TestServer;
  /** Keys and log of all runs. */
  readonly home: string;
  /** Each call has a database and documents of its own. */
  plan(planned: Planned): Promise<Prepared>;
  /** The whole way; `copy` is SQL in what was published, `source` in what was copied. */
  run(
    planned: Planned,
  ): Promise<Awaited<ReturnType<typeof provision>> & { readonly copy: Ask; readonly source: Ask; readonly sourceUrl: string }>;
  stop(): Promise<void>;
}

/** The server is the world's from here on, and stops with it. `swap`: nobody gets CREATEDB there, and versions are schemas. */
export async function startPlanWorld(given?: TestServer, swap = false): Promise<PlanWorld> {
  const server = given ?? (await startTestServer());
  const password = randomBytes(12).toString('hex');
  const folder = mkdtempSync(join(tmpdir(), 'bauta-planned-'));
  for (const role of swap ? ['source'] : ['source', 'target']) {
    await server.sql('postgres', readFileSync(packageFile('deploy', `${role}-role.sql`), 'utf8'));
    await server.sql('postgres', `ALTER ROLE bauta_${role} PASSWORD '${password}'`);
  }
  const url = (role: string, database: string): string => `postgres://bauta_${role}:${password}@127.0.0.1:${server.port}/${database}`;
  let count = 0;
  const open = async ({
    sql,
    tables,
    pipeline = '',
    after,
    rules,
    target,
    there,
    environment: place = 'dev',
  }: Planned): Promise<{ name: string; composed: Composed; sourceUrl: string }> => {
    const name = `planned_${(count += 1)}`;
    await server.create(name);
    await server.sql(name, sql);
    if (swap) await prepareTarget({ server, password }, `${name}_dev`);
    if (there !== undefined) await server.sql(`${name}_dev`, there);
    const members = [...(target === undefined ? [] : [target]), ...(swap ? [swapMember] : [])].map((member) => `, ${member}`).join('');
    const file = join(folder, `${name}.yaml`);
    const documents = [
      `kind: Pipeline\nname: ${name}\nsource: { connection: env:SOURCE_URL, region: eu-central-1 }\ntarget: { connection: env:TARGET_URL, environment: ${place}, class: dev, region: eu-central-1, allows: [pii, pci, phi, secret, quasi], sameServer: one server for both${members} }\nclassification: ${name}\npurpose: tests of plans\nowner: team-plans\nlegalBasis: GDPR Art. 6(1)(f)\nsubjectCategories: [customers]\nretentionDays: 30${rules === undefined ? '' : '\nrulebook: own'}\n${pipeline}`,
      `kind: Classification\nname: ${name}\ntables: ${tables}`,
      ...(rules === undefined ? [] : [`kind: Rulebook\nname: own\nrules: ${rules}`]),
    ];
    if (after !== undefined) {
      writeFileSync(join(folder, `${name}.sql`), after);
      documents[0] += `\nafter: [${name}.sql]`;
    }
    writeFileSync(file, documents.join('\n---\n'));
    const environment = {
      SOURCE_URL: url('source', name),
      TARGET_URL: url('target', `${name}_dev`),
      BUILDER_URL: url('builder', `${name}_dev`),
    };
    return { name, sourceUrl: environment.SOURCE_URL, composed: await compose({ file, home: join(folder, 'home'), environment }) };
  };
  return {
    server,
    home: join(folder, 'home'),
    plan: async (planned) => {
      const { composed } = await open(planned);
      try {
        return await prepare(composed.doors, composed.request);
      } finally {
        await composed.close();
      }
    },
    run: async (planned) => {
      const { composed, name, sourceUrl } = await open(planned);
      try {
        const ended = await provision(composed.doors, composed.request, composed.run);
        return { ...ended, sourceUrl, copy: (text) => server.sql(`${name}_dev`, text), source: (text) => server.sql(name, text) };
      } finally {
        await composed.close();
      }
    },
    stop: async () => {
      rmSync(folder, { recursive: true, force: true });
      await server.stop();
    },
  };
}

/** `severity CODE column constraint-or-object`, sorted as found. */
export function toSaid({ findings }: Prepared): string[] {
  return findings.map(({ severity, code, where }) =>
    [severity, code, where.column, where.path, where.constraint ?? where.object].filter((part) => part !== undefined).join(' '),
  );
}
