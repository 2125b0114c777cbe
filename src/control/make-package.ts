// The package for an examination (SOC 2): populations as files, with what they were made of and by what they can be checked. All of it follows from
// the log up to a stated end; the digest of its manifest is an entry of the log, and the proof of that is the one thing that the manifest cannot list.
import { readFile } from 'node:fs/promises';

import { type Json, toCanonicalJson } from '../kernel/canonical-json.js';
import { digestBytes } from '../kernel/digest.js';
import { toError } from '../kernel/errors.js';
import { packageFile } from '../kernel/package-root.js';
import {
  type LogEnd,
  type LogFiles,
  type TrustPolicy,
  type Witnessed,
  cutLog,
  isPolicyProblem,
  judgeWitnessed,
  listLogs,
  parseCheckpoint,
  parseTrustPolicy,
  readEntries,
  readWitnessed,
  rootAt,
} from '../pipeline/audit/audit.js';
import {
  type Collected,
  type Deviation,
  type ReportContext,
  type ReportDocument,
  collect,
  frameworkOf,
  populations,
  readLater,
  toAssessment,
  toControlResults,
  toCsvLine,
  toHeadLine,
  toItemLine,
  toReport,
} from '../pipeline/report/report.js';
import { toOscal } from '../systems/papers/papers.js';
import { ZipWriter } from '../systems/zip/zip.js';
import { type Asked, type LookedAt, lookAtLog, toContext } from './look-at-log.js';
import type { PackageLog } from './package-log.js';
import { toReadme } from './package-readme.js';

export const MANIFEST = 'manifest.json';
export const PROOF = 'report-made.tlog-proof';
export const WITNESSED = 'witnessed.json';
/** Whose cosignatures its page 1 counts: the maker's choice. Whoever checks has a policy of his own. */
export const POLICY = 'policy.txt';

/** A document as people read it, by the ends of the files' names. */
export type Render = (document: ReportDocument) => Promise<Readonly<Record<string, Buffer | string>>>;

export interface Made {
  readonly manifest: string;
  readonly files: number;
  readonly collected: Collected;
}

/** Throws LOG_NOT_WHOLE, REPORT_PERIOD_EMPTY, PACKAGE_TOO_LARGE or OUTPUT_UNWRITABLE. */
export async function makePackage(log: PackageLog, asked: Asked, path: string, render: Render, policy?: string): Promise<Made> {
  const looked = await lookAtLog(log.files, asked.period, log.verifier);
  const { findings, state } = looked.log;
  if (state !== 'whole') throw toError('LOG_NOT_WHOLE', { amount: `${findings.length} found` });
  const note = await log.noteAt(looked.end);
  const zip = await ZipWriter.open();
  try {
    const witnessed = await readWitnessed(log.files, looked.end.log, parseCheckpoint(note)?.size ?? looked.end.size);
    const filling = { asked, end: looked.end, asOf: looked.asOf, note, witnessed, policy: policy ?? null };
    const collected = await fill(zip, log.files, filling, render);
    const manifest = toManifest(asked, looked, zip.entries);
    await zip.add(MANIFEST, manifest);
    const { report, period } = asked;
    const made = { report, from: period.from, to: period.to, manifest: digestBytes(manifest), upTo: toUpTo(looked) };
    await zip.add(PROOF, await log.tell(made));
    await zip.write(path);
    return { manifest: made.manifest, files: zip.entries.length, collected };
  } finally {
    await zip.close();
  }
}

const toUpTo = ({ end, log }: LookedAt): Json => ({ log: end.log, size: end.size, root: log.checkpoint.root });

export interface Filling {
  readonly asked: Asked;
  readonly end: LogEnd;
  readonly asOf: string;
  /** The signed checkpoint; its size is the end’s or the next that was signed. */
  readonly note: string;
  readonly witnessed: Witnessed;
  /** The text of a trust policy. */
  readonly policy: string | null;
}

/** Everything but the manifest and its proof: the same for the same log, period, version and what others had seen. */
export async function fill(zip: ZipWriter, files: LogFiles, filling: Filling, render: Render): Promise<Collected> {
  const { asked, end, asOf, note, witnessed, policy } = filling;
  const signed = parseCheckpoint(note);
  if (!signed || signed.size < end.size) throw toError('LOG_INCONSISTENT', { file: end.log });
  const root = await rootAt(files, end);
  const cut = { log: end.log, read: end.size, checkpoint: signed };
  const seen = await judgeWitnessed(witnessed, { files, cut, file: WITNESSED }, toChecks(toTrustPolicy(policy)));
  const checkpoint = { origin: signed.origin, size: end.size, root };
  const checked = { state: 'whole', checkpoint, findings: [], cosigned: seen.cosigned, anchored: seen.anchored } as const;
  const collected = await fillPopulations(zip, files, { asked, end, asOf }, root);
  const context = toContext(asked, checked);
  const document = toReport(asked.report, context, collected);
  await zip.add('report.json', `${toCanonicalJson(toJson(document))}\n`);
  for (const [extension, content] of Object.entries(await render(document))) await zip.add(`report.${extension}`, content);
  await fillControls(zip, asked, collected);
  await fillOscal(zip, asked.report, context, collected);
  await zip.add('scope.json', toText(toScope(asked, collected, end, root)));
  await zip.add('declared.json', toText(toJson(asked.declared)));
  await zip.add('policies/in-force.csv', toPolicies(collected));
  await zip.add(WITNESSED, toText(toJson(witnessed)));
  if (policy !== null) await zip.add(POLICY, policy);
  await zip.add('README.md', toReadme(asked, collected));
  await zip.add('VERIFY.md', await readFile(packageFile('src', 'control', 'package', 'VERIFY.md')));
  await zip.add('verify.mjs', await readFile(packageFile('src', 'control', 'package', 'verify.mjs')));
  await fillLog(zip, files, end, note);
  return collected;
}

/** A policy that cannot be read counts nobody. */
export function toTrustPolicy(text: string | null): TrustPolicy | undefined {
  const policy = text === null ? undefined : parseTrustPolicy(text);
  return policy && !isPolicyProblem(policy) ? policy : undefined;
}

const toChecks = (policy: TrustPolicy | undefined): Parameters<typeof judgeWitnessed>[2] => (policy ? { policy } : {});

async function fillPopulations(
  zip: ZipWriter,
  files: LogFiles,
  { asked, end, asOf }: Pick<Filling, 'asked' | 'end' | 'asOf'>,
  seed: string,
): Promise<Collected> {
  const open = new Map(await Promise.all(populations.map(async ({ name }) => [name, await zip.begin(`populations/${name}.csv`)] as const)));
  const exceptions = await zip.begin('exceptions.csv');
  for (const population of populations) await open.get(population.name)!.write(toHeadLine(population));
  await exceptions.write(toCsvLine(['check', 'population', 'result', 'at', 'entries', 'cause', 'approved_by', 'until']));
  const collected = await collect(readEntries(files, { until: end, later: readLater }), asked.period, {
    ...{ seed, asOf },
    item: ({ name }, item) => open.get(name)!.write(toItemLine(item)),
    deviation: (deviation) => exceptions.write(toCsvLine(toDeviationCells(deviation))),
  });
  for (const { end: close } of [...open.values(), exceptions]) await close();
  for (const { population, rows, sample } of collected.populations.values()) {
    const { name, query, types, columns, title } = population;
    await zip.add(`populations/${name}.query.txt`, `${query}\n\nTypes of entries that were read: ${types.join(', ')}\n`);
    const meta = { name, title, rows, period: toJson(asked.period), log: toJson(collected.range), columns: toJson(columns) };
    await zip.add(`populations/${name}.meta.json`, toText(meta));
    await zip.add(`samples/${name}.csv`, [toHeadLine(population), ...sample.map(toItemLine)].join(''));
  }
  await zip.add('samples/method.json', toText(toMethod(seed)));
  return collected;
}

/** Cause and approver stand where a waiver, an approval or a break-glass that the item names says them; else people write them down. */
function toDeviationCells({ check, population, conclusion, item, said }: Deviation): readonly (string | null)[] {
  return [check, population, conclusion, item.at, item.entries.join(' '), said.cause, said.approvedBy, said.until];
}

const toMethod = (seed: string): Json => ({
  seed,
  items: 25,
  method:
    'of each population the items with the smallest SHA-256 of seed, line feed, name of the population, line feed, entries of the item with spaces between; in hexadecimal, in that order. The seed is the root of the log at the end that was read',
});

async function fillControls(zip: ZipWriter, { report }: Asked, collected: Collected): Promise<void> {
  const results = toControlResults(frameworkOf(report), collected, 'whole');
  const head = ['control', 'about', 'result', 'checks', 'tested', 'exceptions', 'not_reached'];
  const rows = results.map(({ control, conclusion, checks }) => [
    ...[control.id, control.about, conclusion, checks.map(({ id }) => id).join(' ')],
    ...[checks.reduce((sum, one) => sum + one.tested, 0), checks.reduce((sum, one) => sum + one.exceptions, 0), control.beyond ?? null],
  ]);
  await zip.add('controls.csv', [head, ...rows].map(toCsvLine).join(''));
  const mappings = results.map(({ control, conclusion, checks }) => ({
    control: control.id,
    result: conclusion,
    checks: checks.map(({ id, conclusion: result, tested }) => ({
      ...{ check: id, population: collected.checks.get(id)?.check.population ?? 'log', result, tested },
    })),
  }));
  await zip.add('mappings.json', toText(mappings));
}

/** The same results for tools that read OSCAL; without an exception there is no plan of action. */
async function fillOscal(zip: ZipWriter, report: Asked['report'], context: ReportContext, collected: Collected): Promise<void> {
  const digests = new Map(zip.entries.map(({ name, digest }) => [name, digest.replace(/^sha256:/, '')]));
  const assessment = toAssessment(report, context, collected, (population) => {
    const sha256 = digests.get(`populations/${population}.csv`);
    return sha256 === undefined ? undefined : { path: `../populations/${population}.csv`, sha256 };
  });
  const { assessmentResults, componentDefinition, planOfAction } = toOscal(assessment);
  await zip.add('oscal/assessment-results.json', assessmentResults);
  await zip.add('oscal/component-definition.json', componentDefinition);
  if (planOfAction !== null) await zip.add('oscal/poam.json', planOfAction);
}

function toScope(asked: Asked, collected: Collected, end: LogEnd, root: string): Json {
  const { title, edition } = frameworkOf(asked.report);
  return {
    ...{ report: asked.report, framework: `${title}, ${edition}`, workspace: asked.workspace, period: toJson(asked.period) },
    log: { ...end, root, entriesRead: collected.entriesRead, range: toJson(collected.range), readUpTo: collected.asOf },
    in: 'what this workspace’s log tells of the period',
    out: 'runs made with the command line outside this service, other tools, the servers that copies lie on, and what people decide elsewhere',
  };
}

function toPolicies({ policies }: Collected): string {
  const head = ['of', 'revision', 'digest', 'first_decision', 'last_decision', 'decisions'];
  const rows = policies.map(({ of, revision, digest, first, last, decisions }) => [of, revision, digest, first, last, decisions]);
  return [head, ...rows].map(toCsvLine).join('');
}

/** In the layout of c2sp.org/tlog-tiles: what checks a log checks this one. Logs before the last are whole, the last is as it was at its checkpoint. */
async function fillLog(zip: ZipWriter, files: LogFiles, end: LogEnd, note: string): Promise<void> {
  for (const log of (await listLogs(files)).filter((name) => name <= end.log)) {
    const checkpoint = log === end.log ? note : ((await files.read(`${log}/checkpoint`))?.toString('utf8') ?? '');
    const size = parseCheckpoint(checkpoint)?.size;
    if (size === undefined) throw toError('LOG_INCONSISTENT', { file: log });
    await zip.add(`log/${log}/checkpoint`, checkpoint);
    for await (const { path, bytes } of cutLog(files, { log, size })) await zip.add(`log/${log}/${path}`, bytes);
  }
}

function toManifest(asked: Asked, { end, asOf }: LookedAt, files: ZipWriter['entries']): string {
  const { report, period, workspace, product } = asked;
  const listed = files.map(({ name, bytes, digest }) => ({ name, bytes, digest }));
  return toText({
    format: 'bauta-package/1',
    report,
    period: toJson(period),
    workspace,
    product: toJson(product),
    upTo: { ...end, asOf },
    files: listed,
  });
}

const toText = (value: Json): string => `${toCanonicalJson(value)}\n`;

/** Members that are not there are left out. */
export const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
