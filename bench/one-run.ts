// One measured run in a process of its own, so that its memory and CPU are its own. Usage: node dist/bench/one-run.js copy|provision|verify HOME
// `copy` moves the rows into a staging database without indexes; `provision` is the whole way without verification, put together here because
// the product has no such switch; `verify` is the product's own run. BENCH_POSTMASTER is the server's process. Prints one JSON object; seconds count from the start of the process,
// for `copy` from the first row's request.
import { type Composed, compose, toWidth } from '../src/cli/compose.js';
import { systemClock } from '../src/kernel/clock.js';
import { packageFile } from '../src/kernel/package-root.js';
import { Journal } from '../src/pipeline/audit/audit.js';
import { move } from '../src/pipeline/move.js';
import { provision } from '../src/pipeline/pipeline.js';
import { type Plan, toPlanDigest } from '../src/pipeline/plan.js';
import type { MaskExecutor, Receipt, Snapshot, Staging, Target } from '../src/pipeline/ports.js';
import { type Prepared, prepare, toScope } from '../src/pipeline/prepare.js';
import { publish } from '../src/pipeline/publish.js';
import { toOwnRanges } from '../src/pipeline/ranges.js';
import { toSchemaStatements } from '../src/systems/postgres/ddl/ddl.js';
import { PostgresTarget } from '../src/systems/postgres/target/target.js';
import { peakRssBytes, serverCpu } from './reference.js';

export interface RunFigures {
  readonly seconds: number;
  readonly rows: number;
  readonly peakRssBytes: number;
  /** From the start of the process until each step was done: seconds, and those of CPU that server and process took meanwhile. */
  readonly steps: readonly { readonly name: string; readonly seconds: number; readonly cpuSeconds: number }[];
}

const [mode, home = '.bauta'] = process.argv.slice(2);
const postmaster = Number(process.env['BENCH_POSTMASTER']);
const cpuBefore = serverCpu(postmaster);
const steps: { name: string; seconds: number; cpuSeconds: number }[] = [];
const mark = (name: string): void => {
  const { user, system } = process.cpuUsage();
  steps.push({ name, seconds: performance.now() / 1000, cpuSeconds: serverCpu(postmaster) - cpuBefore + (user + system) / 1e6 });
};

mark('loaded');
const composed = await compose({ file: packageFile('bench', 'workload', 'pipeline.yaml'), home });
try {
  const work = { copy, provision: withoutVerification, verify: asShipped }[mode ?? ''];
  if (!work) throw new Error('usage: one-run.js copy|provision|verify HOME');
  const { seconds, rows } = await work(composed);
  const figures: RunFigures = { seconds, rows, peakRssBytes: peakRssBytes(), steps };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await composed.close();
}

async function copy(composed: Composed): Promise<{ seconds: number; rows: number }> {
  const { target: connection, settings } = composed;
  const target = new PostgresTarget({
    connection,
    schemaStatements: (catalogue) => ({ preData: toSchemaStatements(catalogue).preData, postData: [] }),
    clock: systemClock,
    settings: { loadConnections: toWidth(settings).load },
  });
  try {
    return await withStaging(composed, target, async (executor, plan, snapshot, staging) => {
      const begun = performance.now();
      const { rows } = await moveRows(composed, executor, plan, snapshot, staging);
      return { seconds: (performance.now() - begun) / 1000, rows };
    });
  } finally {
    await target.close();
  }
}

async function withoutVerification(composed: Composed): Promise<{ seconds: number; rows: number }> {
  const { doors, run } = composed;
  return withStaging(composed, doors.target, async (executor, plan, snapshot, staging) => {
    const { journal, receipts, rows } = await moveRows(composed, executor, plan, snapshot, staging);
    mark('moved');
    const findings = await staging.finish();
    mark('built');
    if (findings.length > 0) throw new Error(`the schema was not rebuilt: ${findings[0]?.code}`);
    await staging.setSequences(await snapshot.sequences());
    // Source and target are on one server here, and the writer's receipts stand for the verifier's.
    const { systemIdentifier } = plan.source;
    await publish(doors, journal, run, staging, {
      plan,
      planDigest: toPlanDigest(plan),
      question: {},
      systemIdentifier,
      receipts,
      onPublished: () => undefined,
    });
    mark('published');
    return { seconds: performance.now() / 1000, rows };
  });
}

async function asShipped({ doors, request, run }: Composed): Promise<{ seconds: number; rows: number }> {
  const { summary, error } = await provision(doors, request, run, {
    border: (name) => mark(name),
    prepared: () => mark('prepared'),
    built: (done, of) => (done === of ? mark('built') : undefined),
    verified: () => mark('verified'),
  });
  if (summary.state !== 'published')
    throw error instanceof Error ? error : new Error(`the run ended ${summary.state}: ${JSON.stringify(summary.findings)}`);
  return { seconds: performance.now() / 1000, rows: summary.tables.reduce((sum, { rows }) => sum + rows, 0) };
}

async function withStaging<T>(
  { doors, request, run }: Composed,
  target: Target,
  work: (executor: MaskExecutor, plan: Plan, snapshot: Snapshot, staging: Staging) => Promise<T>,
): Promise<T> {
  mark('composed');
  const prepared = await prepare(doors, request);
  mark('prepared');
  const plan = requirePlan(prepared);
  // Started early, as the pipeline does it.
  const executor = await doors.executor(plan);
  await target.sweep();
  const snapshot = await doors.source.open(plan, toScope(request));
  mark('locked');
  try {
    const staging = await target.begin(plan, prepared.catalogue, run);
    mark('begun');
    try {
      return await work(executor, plan, snapshot, staging);
    } finally {
      await staging.drop();
    }
  } finally {
    await snapshot.close();
    await executor.close();
  }
}

function requirePlan({ plan, decision, findings }: Prepared): Plan {
  if (plan && decision?.allow) return plan;
  throw new Error(`no run: ${JSON.stringify({ findings, reasons: decision?.reasons }, undefined, 1)}`);
}

async function moveRows(
  { doors, run }: Composed,
  executor: MaskExecutor,
  plan: Plan,
  snapshot: Snapshot,
  staging: Staging,
): Promise<{ journal: Journal; receipts: readonly Receipt[]; rows: number }> {
  const journal = new Journal(doors.sink, doors.clock, run.id);
  const ranges = toOwnRanges(snapshot.ranges(), (table, batches, alone) => staging.load(table, batches, alone));
  const receipts = await move({ ...doors, executor: () => Promise.resolve(executor) }, plan, {}, journal, snapshot, staging, ranges);
  return { journal, receipts, rows: receipts.reduce((sum, { rows }) => sum + rows, 0) };
}
