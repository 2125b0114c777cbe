// DESIGN §2: which way imports point.
import { existsSync, readFileSync } from 'node:fs';

import { beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { stages } from '../../src/pipeline/stages.js';
import { type Module, readModules } from './modules.js';

let modules: Module[];
beforeAll(() => {
  modules = readModules();
});

const area = (path: string): string => path.split('/')[1] ?? '';
const roots = new Set(['main.ts', 'worker.ts', 'migrate.ts', 'holder.ts', 'reporter.ts', 'agent.ts', 'cli.ts', 'cli']);

/** area → areas it may import. `documents` is an addition to the design: docs/decisions/0003. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  kernel: ['kernel'],
  config: ['kernel', 'config'],
  pipeline: ['kernel', 'pipeline'],
  documents: ['kernel', 'pipeline', 'documents'],
  threads: ['kernel', 'pipeline', 'threads'],
  systems: ['kernel', 'config', 'pipeline', 'systems'],
  control: ['kernel', 'config', 'pipeline', 'documents', 'threads', 'systems', 'control'],
  /** Beside a test environment: nothing of the service, and nothing that could mask or reverse. */
  agent: ['kernel', 'config', 'pipeline', 'systems', 'agent'],
};

const edges = (): { from: string; to: string; typeOnly: boolean }[] =>
  modules.flatMap(({ source, imports }) => imports.filter((i) => !i.package).map(({ to, typeOnly }) => ({ from: source, to, typeOnly })));

it('sees the modules and their imports', () => {
  expect(modules.length).toBeGreaterThan(30);
  expect(edges().length).toBeGreaterThan(60);
});

it('lets an area import only what the table allows', () => {
  const wrong = edges().filter(({ from, to }) => !roots.has(area(from)) && !(allowed[area(from)] ?? []).includes(area(to)));
  expect(wrong).toEqual([]);
});

it('lets threads see only mask and the plain files of the pipeline, and systems only ports and plain files', () => {
  const folderOf = (path: string): string | undefined => (path.split('/').length > 3 ? path.split('/')[2] : undefined);
  const wrong = edges().filter(({ from, to }) => {
    const stage = area(to) === 'pipeline' ? folderOf(to) : undefined;
    if (stage === undefined) return false;
    return area(from) === 'threads' ? stage !== 'mask' : area(from) === 'systems' && !isFormat(to);
  });
  expect(wrong).toEqual([]);
});

/** The target writes the lines whose digest deliver defines, the sink the tree that audit defines, and papers the document that report defines: these doors systems may use. */
const isFormat = (path: string): boolean => ['deliver', 'audit', 'report'].some((stage) => path === `src/pipeline/${stage}/${stage}.ts`);

it('lets a stage import no other stage', () => {
  const stageOf = (path: string): string | undefined => stages.find((stage) => path.startsWith(`src/pipeline/${stage}/`));
  const wrong = edges().filter(({ from, to }) => stageOf(from) && stageOf(to) && stageOf(from) !== stageOf(to));
  expect(wrong).toEqual([]);
});

it('lets the verification and its reader share with the writer only what says what things are, and how a server is spoken to', () => {
  const imports = new Map(modules.map(({ source, imports: found }) => [source, found.filter((one) => !one.package).map(({ to }) => to)]));
  /** Every file that these folders lead to, types included; their own and the kernel's left out. */
  const reach = (...folders: readonly string[]): string[] => {
    const seen = new Set([...imports.keys()].filter((path) => folders.some((folder) => path.startsWith(folder))));
    expect(seen.size).toBeGreaterThan(0);
    for (const path of seen) for (const to of imports.get(path) ?? []) seen.add(to);
    return [...seen].filter((path) => area(path) !== 'kernel' && !folders.some((folder) => path.startsWith(folder))).sort();
  };
  const verifier = reach('src/pipeline/verify/', 'src/systems/postgres/reader/');
  const writer = new Set(
    ['src/pipeline/mask/', 'src/pipeline/deliver/', 'src/systems/postgres/target/', 'src/systems/postgres/swap/'].flatMap((folder) =>
      reach(folder),
    ),
  );
  // Values and their types: nothing in them masks, writes or looks.
  const values = [
    'batch',
    'catalogue',
    'check',
    'decision',
    'definition-digest',
    'definition',
    'delivery-plan',
    'drop-step',
    'event',
    'gate-callers',
    'grant',
    'law',
    'marker',
    'output-claim',
    'plan',
    'playbook',
    'ports',
    'privacy',
    'schema-object',
    'source-question',
    'stages',
    'watch',
  ];
  // A session, its errors without a value, names in quotes, the marker's one row, and how the server is asked what there is beside rows.
  const speech = ['connection', 'definitions', 'marker-table', 'quote', 'reading-socket', 'server-error', 'tls'].map(
    (name) => `src/systems/postgres/${name}.ts`,
  );
  expect(verifier.filter((path) => writer.has(path))).toEqual([...values.map((name) => `src/pipeline/${name}.ts`), ...speech]);
  // The bytes of COPY as a server sends them, which no writer reads; what a pipeline's checks count; what a tag says of the law.
  const reading = [
    ...['src/pipeline/check-type.ts', 'src/pipeline/tags.ts', 'src/pipeline/telling.ts'],
    ...['checks', 'failing-rows', 'groups', 'privacy-statements', 'statements'].map((name) => `src/systems/postgres/checks/${name}.ts`),
    ...['src/systems/postgres/copy-out.ts', 'src/systems/postgres/line-queue.ts'],
  ];
  expect(verifier.filter((path) => !writer.has(path))).toEqual(reading);
});

it('lets one system import no other system', () => {
  const system = (path: string): string | undefined => /^src\/systems\/([^/]+)\//.exec(path)?.[1];
  expect(edges().filter(({ from, to }) => system(from) && system(to) && system(from) !== system(to))).toEqual([]);
});

it('opens one door per folder', () => {
  // A folder's room is the stage, the system or the area; inside it files import each other freely.
  const room = (path: string): string => {
    const parts = path.split('/');
    const deep = parts[1] === 'pipeline' || parts[1] === 'systems' || parts[1] === 'control' ? 3 : 2;
    return parts.length > deep ? parts.slice(0, deep).join('/') : '';
  };
  const openRooms = new Set(['', 'src/kernel', 'src/config']);
  const wrong = edges().filter(({ from, to }) => {
    const target = room(to);
    return (
      !openRooms.has(target) &&
      target !== room(from) &&
      to !== `${target}/${target.split('/').at(-1)}.ts` &&
      !(target === 'src/cli' && /^src\/(cli|main|worker|migrate|holder|reporter|agent)\.ts$/.test(from))
    );
  });
  expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
});

it('keeps frameworks, clients, the environment, the clock and chance out of pipeline and threads', () => {
  const clients = /node_modules\/(@nestjs|typeorm|pg|pg-copy-streams|kafkajs|node-vault|@aws-sdk|@smithy|graphile-worker)\//;
  const inside = modules.filter(({ source }) => ['pipeline', 'threads'].includes(area(source)));
  expect(
    inside.flatMap(({ source, imports }) => imports.filter(({ to }) => clients.test(to)).map(({ to }) => `${source} → ${to}`)),
  ).toEqual([]);
});

it('imports a client library in exactly one folder of systems', () => {
  const homes: Readonly<Record<string, string>> = {
    pg: 'postgres',
    'pg-copy-streams': 'postgres',
    '@open-policy-agent': 'opa',
    kafkajs: 'kafka',
    avsc: 'kafka',
    'node-vault': 'vault',
    'isomorphic-git': 'git',
    '@aws-sdk': 'aws',
    '@smithy': 'aws',
    typeorm: 'metadata',
    pdfkit: 'papers',
    'write-excel-file': 'papers',
  };
  const wrong = modules.flatMap(({ source, imports }) =>
    imports.flatMap(({ to }) => {
      const name = /node_modules\/(?:@types\/)?([^/]+)/.exec(to)?.[1] ?? '';
      return homes[name] && !source.startsWith(`src/systems/${homes[name]}/`) ? [`${source} → ${name}`] : [];
    }),
  );
  expect(wrong).toEqual([]);
});

it('sends HTTP from one folder only', () => {
  const sends = /from '(node:https|node:http2|undici|axios)'|(?<![\w.])fetch\(|import \{[^}]*\brequest\b[^}]*\} from 'node:http'/;
  const senders = modules.map(({ source }) => source).filter((source) => sends.test(readFileSync(packageFile(source), 'utf8')));
  expect(senders.filter((source) => !source.startsWith('src/systems/http/'))).toEqual([]);
  expect(senders).toContain('src/systems/http/http.ts');
});

it('has no import cycle, type imports included', () => {
  const targets = new Map(modules.map(({ source, imports }) => [source, imports.filter((i) => !i.package).map(({ to }) => to)]));
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      return;
    }
    state.set(path, 'open');
    for (const next of targets.get(path) ?? []) visit(next, [...trail, path]);
    state.set(path, 'done');
  };
  for (const path of targets.keys()) visit(path, []);
  expect(cycles).toEqual([]);
});

it('has a folder per stage and no other folder in the pipeline', async () => {
  const { readdirSync, statSync } = await import('node:fs');
  const folders = readdirSync(packageFile('src', 'pipeline')).filter((name) =>
    statSync(packageFile('src', 'pipeline', name)).isDirectory(),
  );
  expect(folders.sort()).toEqual([...stages].sort());
  for (const stage of stages) expect([stage, existsSync(packageFile('src', 'pipeline', stage, `${stage}.ts`))]).toEqual([stage, true]);
});

it('keeps Nest, TypeORM and the queue out of what a command loads', () => {
  // The pages about the API are made by a command of developers, from the service itself.
  const makesPages = new Set(['src/cli/reference-pages.ts', 'src/cli/generate.ts']);
  const imports = new Map(modules.map(({ source, imports: found }) => [source, found]));
  const seen = new Set<string>();
  const wrong: string[] = [];
  const visit = (path: string): void => {
    if (seen.has(path) || makesPages.has(path)) return;
    seen.add(path);
    for (const { to, package: foreign, typeOnly } of imports.get(path) ?? []) {
      if (typeOnly) continue;
      if (!foreign) visit(to);
      else if (/node_modules\/(@nestjs|typeorm|graphile-worker|rxjs|pino)\//.test(to)) wrong.push(`${path} → ${to}`);
    }
  };
  visit('src/cli.ts');
  expect(seen.size).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
});
