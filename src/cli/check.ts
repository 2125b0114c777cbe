// `bauta check`: the checks of a pipeline, made against a version that is published, or as the last run at a service made them.
import { dirname, relative, resolve } from 'node:path';

import { parseSettings } from '../config/settings.js';
import { systemClock } from '../kernel/clock.js';
import { type Finding, sortFindings, toError } from '../kernel/errors.js';
import { toPointer } from '../kernel/json-pointer.js';
import { toScopeTest } from '../pipeline/bind.js';
import { bindChecks } from '../pipeline/bind-checks.js';
import type { Table } from '../pipeline/catalogue.js';
import type { CheckPlan, CheckResult, Counted } from '../pipeline/check.js';
import type { Described, PipelineDefinition } from '../pipeline/definition.js';
import { judgeChecks, toCheckFindings } from '../pipeline/verify/verify.js';
import { CheckCounter, survey } from '../systems/postgres/postgres.js';
import { type CheckReportFormat, toCheckReport } from './check-report.js';
import { toChecksText } from './checks-text.js';
import { type CheckedVersion, openVersion } from './check-version.js';
import { type ComposeOptions, readRequest, readVerifiers } from './compose.js';
import type { GlobalOptions } from './context.js';
import { type FailingRows, readFailingRows, requireMaskedCopy, toRowsText } from './failing-rows.js';
import { type Subject, choosePlace } from './place.js';
import { toCount, writeJson } from './print.js';
import type { Server } from './server.js';
import { readVerifier } from './verifier-key.js';

export interface CheckOptions extends Omit<GlobalOptions, 'format'>, Subject, Omit<ComposeOptions, 'file' | 'format'> {
  readonly format?: CheckReportFormat | 'text' | 'json';
  readonly database?: string;
  /** Path of log.pub. */
  readonly key?: string;
  /** How many failing rows of each check are shown. */
  readonly rows?: number;
}

interface Checked {
  readonly database: string | null;
  readonly version: number | null;
  readonly run: string | null;
  readonly checks: readonly CheckResult[];
  readonly findings: readonly Finding[];
  readonly rows?: readonly FailingRows[];
}

export async function check(options: CheckOptions): Promise<number> {
  const { format: asked, ...rest } = options;
  const format = options.json === true ? 'json' : (asked ?? 'text');
  if (options.rows !== undefined && format !== 'text' && format !== 'json')
    throw toError('OPTION_INVALID', { name: '--rows', expected: 'text or json: a report is kept where rows have no business' });
  const place = await choosePlace('check', rest);
  if (place.server) refuseLocal(options);
  const checked = place.server ? await readLast(place.server, place.pipeline) : await makeHere({ ...rest, file: place.file });
  return tell(checked, format);
}

function refuseLocal({ database, rows, key }: CheckOptions): void {
  for (const [name, value] of Object.entries({ '--database': database, '--rows': rows, '--key': key }))
    if (value !== undefined)
      throw toError('OPTION_INVALID', { name, expected: 'left out with --server: there are the results of the last run' });
}

type Here = Omit<CheckOptions, 'format' | 'file'> & { readonly file: string };

async function makeHere(options: Here): Promise<Checked> {
  const settings = parseSettings(options.environment ?? process.env);
  const { request } = await readRequest(options.file);
  const verifiers = [
    ...(await readVerifiers(options.home ?? settings.BAUTA_HOME)),
    ...(options.key === undefined ? [] : [await readVerifier(options.key)]),
  ];
  const version = await openVersion({ ...options, verifiers }, request.pipeline.body);
  try {
    if (options.rows !== undefined) requireMaskedCopy(version, await version.sources());
    const { tables, checks } = await bind(version, request.pipeline);
    const { marker } = version;
    // As of when its rows are, for what says how old they may be; who asks a database that says nothing of it asks about now.
    const asOfMs = marker.state === 'whole' ? Date.parse(marker.marker.madeAt) : systemClock.now();
    const counter = new CheckCounter(version.connection, { asOfMs, timeoutMs: settings.BAUTA_CHECK_TIMEOUT_MS });
    try {
      const results = judge(checks, await counter.count(checks), await version.earlier(checks));
      const { rows: most } = options;
      const rows = most === undefined ? undefined : await readFailingRows({ counter, checks, results, tables, most, asOfMs });
      return {
        ...{ database: version.database, version: marker.state === 'whole' ? marker.marker.version : null, run: null, checks: results },
        findings: toPlaced(toCheckFindings(results), request.pipeline, dirname(options.file)),
        ...(rows ? { rows } : {}),
      };
    } finally {
      await counter.close();
    }
  } finally {
    await version.close();
  }
}

function judge(checks: readonly CheckPlan[], counted: readonly Counted[], earlier: Awaited<ReturnType<CheckedVersion['earlier']>>) {
  const all = checks.map((one) => earlier(one));
  // Where nobody knows what the version before had, a change cannot be judged.
  const judged = counted.map((one, i): Counted => {
    const before = all[i];
    return before && 'why' in before && needsEarlier(checks[i]) && 'counted' in one ? { why: before.why } : one;
  });
  const figures = new Map(checks.map((one, i) => [one, all[i]]));
  return judgeChecks(checks, judged, (one) => {
    const before = figures.get(one);
    return before && !('why' in before) ? before : undefined;
  }).results;
}

function needsEarlier(one: CheckPlan | undefined): boolean {
  return one !== undefined && ('maxChangePercent' in one || 'maxChangePoints' in one);
}

/** Names and types as they are in the database now. Throws PLAN_REFUSED with every check that does not fit them. */
async function bind(
  { connection }: CheckedVersion,
  pipeline: Described<PipelineDefinition>,
): Promise<{ readonly tables: readonly Table[]; readonly checks: readonly CheckPlan[] }> {
  const { include = [], exclude = [] } = pipeline.body;
  const { catalogue } = await survey(connection, { include, exclude });
  const tables = catalogue.tables.filter(toScopeTest(pipeline.body));
  const { checks: written = [] } = pipeline.body;
  // A version that is there has the names that the texts say, however it was published.
  const { checks = [], findings } = bindChecks({ pipeline: { origin: pipeline.origin, body: { checks: written } }, tables });
  if (findings.length > 0) throw toError('PLAN_REFUSED', { amount: String(findings.length) }, sortFindings(findings));
  return { tables, checks };
}

/** With the line of the check in its document, for reports that show it there. */
function toPlaced(findings: readonly Finding[], { body, origin }: Described<PipelineDefinition>, folder: string): readonly Finding[] {
  const file = relative('.', resolve(folder, origin.file)).replaceAll('\\', '/');
  const at = new Map(body.checks?.map(({ name }, i) => [name, origin.line(toPointer('checks', i))]));
  return findings.map((finding) => ({
    ...finding,
    where: { ...finding.where, file, line: at.get(finding.where.rule ?? '') ?? 1 },
  }));
}

interface RunThere {
  readonly id: string;
  readonly endedAt: string | null;
  readonly checks: readonly CheckResult[];
  readonly summary: {
    readonly dataset: { readonly target: string; readonly version: number } | null;
    readonly reused?: { readonly runId: string };
  } | null;
}

/** The newest run that has ended. Throws CHECKS_NOT_THERE when it came to none. */
async function readLast(server: Server, pipeline: string): Promise<Checked> {
  const query = new URLSearchParams({ limit: '50', pipeline });
  const { items } = await server.ask<{ items: readonly RunThere[] }>('GET', `/v1/runs?${query.toString()}`);
  const last = items.find(({ endedAt }) => endedAt !== null);
  if (!last) throw toError('CHECKS_NOT_THERE', { name: pipeline });
  // A run that took the version that was there made no checks: those of the run that made it hold.
  const id = last.summary?.reused?.runId ?? last.id;
  const { checks, summary } = await server.ask<RunThere>('GET', `/v1/runs/${id}`);
  if (checks.length === 0) throw toError('CHECKS_NOT_THERE', { name: pipeline, run: id });
  const dataset = summary?.dataset ?? null;
  const findings = toCheckFindings(checks);
  return { database: dataset?.target ?? null, version: dataset?.version ?? null, run: id, checks, findings };
}

function tell(checked: Checked, format: NonNullable<CheckOptions['format']>): number {
  const { checks, findings, rows } = checked;
  const failed = findings.some(({ severity }) => severity === 'error');
  if (format === 'json') writeJson({ passed: !failed, ...checked });
  else if (format === 'text') process.stdout.write(`${toChecksText(checks, process.stdout)}\n${rows ? toRowsText(rows) : ''}`);
  else process.stdout.write(toCheckReport(format, checks, findings));
  process.stderr.write(
    `${toCount(checks.length, 'check')}: ${findings.length === 0 ? 'all passed' : toCount(findings.length, 'finding')}\n`,
  );
  return failed ? 1 : 0;
}
