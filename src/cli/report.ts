// `bauta report`: documents and packages out of the log, and the check of a package with nothing but the file and a key.
import { join } from 'node:path';

import { type Settings, parseSettings } from '../config/settings.js';
import { openHomeLog } from '../control/home-package.js';
import { type Asked, makeReport, toContext } from '../control/look-at-log.js';
import { readProduct } from '../control/product.js';
import { type Made, makePackage } from '../control/make-package.js';
import { type OscalModel, oscalModels, paperFormats, renderOscal, renderPackaged, renderReport } from '../control/render-report.js';
import { makeReleaseReport } from '../control/release-report.js';
import { type PackageReport, verifyPackage } from '../control/verify-package.js';
import { systemClock, toTimestamp } from '../kernel/clock.js';
import { InputError } from '../kernel/errors.js';
import { type LogState, type Period, type ReportName, reportNames, toDay } from '../pipeline/report/report.js';
import { openLogFiles, readTrustPolicy, readTrustPolicyText } from '../systems/files/files.js';
import { openHomeLog as openSink } from './compose.js';
import { readDeclared } from './declared.js';
import { refuseOtherFile } from './other-file.js';
import { paint, stripControls, toCount, toFindingText, writeJson } from './print.js';
import { type ReportOptions, exitCodes, openReportLog, tellBytes, tellDocument, toPeriod, write } from './report-log.js';
import { openServerLog, readWorkspaceName } from './server-package.js';
import { fetchRendered, toRenderedPath } from './rendered-report.js';
import { readServerDeclared } from './server-declared.js';
import { type Server, findServer, requireServer } from './server.js';
import { readVerifier } from './verifier-key.js';

export async function report(what: string, file: string | undefined, options: ReportOptions): Promise<number> {
  if (what === 'verify') return verify(file, options);
  if (what === 'release') return writeRelease(file, options);
  if (options.commit !== undefined) throw new InputError('OPTION_INVALID', { name: '--commit', expected: 'bauta report release TAG' });
  const name = reportNames.find((one) => one === what);
  if (!name || file !== undefined)
    throw new InputError('OPTION_INVALID', {
      name: 'what to report',
      expected: `${reportNames.join(', ')}, release TAG, breach, reach, reconcile or verify FILE`,
    });
  const settings = parseSettings(process.env);
  const period = toPeriod(options);
  const isPackage = options.format === 'zip' || (name === 'soc2' && (options.format === undefined || options.format === 'text'));
  if (options.rendered === true) return writeRendered(name, period, options, isPackage);
  const asked = await toAsked(name, options);
  if (!isPackage) return writeReport(asked, options);
  if (options.log !== undefined)
    throw new InputError('OPTION_INVALID', {
      name: '--log with a package',
      expected: '--format html, pdf, json, csv, xlsx or oscal: a package is made of a home’s own log, which is told of it',
    });
  const server = await findServer(options);
  const made = server ? await packServer(server, asked, options) : await packOwn(asked, settings, options);
  const { path } = made;
  if (options.json === true) writeJson({ file: path, manifest: made.manifest, files: made.files, lines: made.lines, findings: [] });
  else for (const line of made.lines) process.stdout.write(`${line}\n`);
  return 0;
}

async function packOwn(asked: Asked, settings: Settings, options: ReportOptions): Promise<Packed> {
  const path = options.out ?? toPackageName(asked.report, asked.workspace, asked.period);
  return packHome(options.home ?? settings.BAUTA_HOME, settings, asked, path, await readPolicyText(options.policy));
}

/** Computed here, out of the service's log; the service tells its log of the manifest. */
async function packServer(server: Server, given: Asked, options: ReportOptions): Promise<Packed> {
  if (options.key === undefined)
    throw new InputError('OPTION_MISSING', { name: '--key, the public key of the service’s log', expected: 'bauta report --help' });
  const verifier = await readVerifier(options.key);
  const asked = await toServerAsked(server, given, options);
  const path = options.out ?? toPackageName(asked.report, asked.workspace, asked.period);
  const made = await makePackage(openServerLog(server, verifier), asked, path, renderPackaged, await readPolicyText(options.policy));
  return toPacked(made, path, options.key);
}

export const toPackageName = (name: ReportName, workspace: string, { from, to }: Pick<Period, 'from' | 'to'>): string =>
  `${name}-${workspace}-${toDay(from)}-${toDay(to)}.zip`;

/** Of a home: the report for a data protection officer and the package for an examination. Says what was written. */
export async function makePapers(
  home: string,
  options: { readonly from: string; readonly to: string; readonly file: string },
): Promise<readonly string[]> {
  const settings = parseSettings(process.env);
  const gdpr = await toAsked('gdpr', options);
  const verifier = await readVerifier(join(home, 'log.pub'));
  const { document } = await makeReport(openLogFiles(join(home, 'log')), gdpr, verifier);
  for (const format of ['html', 'pdf'] as const) await write(join(home, `gdpr.${format}`), await renderReport(document, format));
  const asked = await toAsked('soc2', options);
  const { lines } = await packHome(home, settings, asked, join(home, toPackageName('soc2', asked.workspace, asked.period)));
  return [`${join(home, 'gdpr.html')} and gdpr.pdf: the record of processing, and what the log shows for each article`, ...lines];
}

/** Of a home's log: writes the package and tells the log of its manifest. */
export async function packHome(home: string, settings: Settings, asked: Asked, path: string, policy?: string): Promise<Packed> {
  const { sink, actor } = await openSink(home, settings);
  const made = await makePackage(await openHomeLog(home, sink, actor), asked, path, renderPackaged, policy);
  return toPacked(made, path, join(home, 'log.pub'));
}

const readPolicyText = async (file: string | undefined): Promise<string | undefined> =>
  file === undefined ? undefined : readTrustPolicyText(file);

interface Packed {
  readonly path: string;
  readonly manifest: string;
  readonly files: number;
  readonly lines: readonly string[];
}

function toPacked({ manifest, files, collected }: Made, path: string, key: string): Packed {
  const items = [...collected.populations.values()].reduce((sum, { rows }) => sum + rows, 0);
  const exceptions = [...collected.checks.values()].reduce((sum, { counts }) => sum + counts.exception, 0);
  const lines = [
    `${stripControls(path)}: ${toCount(files, 'file')}, ${toCount(items, 'item')} in ${toCount(collected.populations.size, 'population')}, ${toCount(exceptions, 'exception')}`,
    `manifest ${manifest}, told to the log; bauta report verify ${stripControls(path)} --key ${stripControls(key)}`,
  ];
  return { path, manifest, files, lines };
}

async function writeReport(asked: Asked, options: ReportOptions): Promise<number> {
  const model = toModel(options);
  const { files, verifier, policy, server } = await openReportLog(options);
  const of = server ? await toServerAsked(server, asked, options) : asked;
  const { document, log, collected } = await makeReport(files, of, verifier, policy);
  if (model) return tellBytes(renderOscal(of.report, toContext(of, log), collected, model), log.state, options);
  return tellDocument(document, log.state, options);
}

/** Without `--from` and `--to` of all that the log tells by now. */
async function writeRelease(tag: string | undefined, options: ReportOptions): Promise<number> {
  if (options.rendered === true) throw new InputError('OPTION_INVALID', { name: '--rendered', expected: 'no report of a release' });
  if (tag === undefined) throw new InputError('OPTION_MISSING', { name: 'the tag', expected: 'bauta report --help' });
  const { commit, format } = options;
  if (commit !== undefined && !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit))
    throw new InputError('OPTION_INVALID', { name: '--commit', expected: 'a whole commit id in hexadecimal' });
  const known = paperFormats.find((one) => one === (format ?? 'json'));
  if (!known && format !== 'text') throw new InputError('OPTION_INVALID', { name: '--format', expected: paperFormats.join(', ') });
  const { from = '1970-01-01', to = toTimestamp(systemClock.now()) } = options;
  const asked = await toAsked('soc2', { ...options, from, to });
  const { files, verifier, policy, server } = await openReportLog(options);
  const of = server ? await toServerAsked(server, asked, options) : asked;
  const { document, log } = await makeReleaseReport(files, of, { tag, commit }, { verifier, policy });
  return tellBytes(await renderReport(document, known ?? 'json'), log.state, options);
}

/** Undefined: no OSCAL is asked for. */
function toModel({ format, model }: ReportOptions): OscalModel | undefined {
  if (format !== 'oscal') {
    if (model !== undefined) throw new InputError('OPTION_INVALID', { name: '--model', expected: 'a model of --format oscal' });
    return undefined;
  }
  const found = oscalModels.find((one) => one === (model ?? 'assessment-results'));
  if (!found) throw new InputError('OPTION_INVALID', { name: '--model', expected: oscalModels.join(', ') });
  return found;
}

async function verify(file: string | undefined, options: ReportOptions): Promise<number> {
  if (file === undefined) throw new InputError('OPTION_MISSING', { name: 'the package', expected: 'bauta report --help' });
  await refuseOtherFile(file);
  const { state, lines, found } = await checkPackage(file, options.key, options.policy);
  if (options.json === true) writeJson({ state, ...found });
  else for (const line of lines) process.stdout.write(`${line}\n`);
  return exitCodes[state];
}

export async function checkPackage(
  file: string,
  key: string | undefined,
  policyFile?: string,
): Promise<{ readonly state: LogState; readonly lines: readonly string[]; readonly found: PackageReport }> {
  const verifier = key === undefined ? undefined : await readVerifier(key);
  const policy = policyFile === undefined ? {} : { policy: await readTrustPolicy(policyFile) };
  const found = await verifyPackage(file, { verifier, version: readProduct().version, render: renderPackaged, ...policy });
  const broken = found.findings.filter(({ severity }) => severity === 'error').length;
  const state: LogState = broken > 0 ? 'broken' : found.signatureChecked ? 'whole' : 'signer-unknown';
  const { checkpoint, entry } = found;
  const head = checkpoint
    ? [stripControls(`${checkpoint.origin}  ${toCount(checkpoint.size, 'entry', 'entries')}  root ${checkpoint.root}`)]
    : [];
  const findings = found.findings.map((finding) => stripControls(toFindingText(finding), '\n\u001b'));
  const seen = [
    ...found.cosigned.map(({ name, at }) => stripControls(`cosigned by ${name} at ${at}`)),
    ...found.anchored.map(({ place, at }) =>
      stripControls(`put at ${place} at ${at}, as its operator says: bauta audit verify --anchor looks there`),
    ),
  ];
  return { state, found, lines: [...findings, ...head, ...seen, toVerdict(state, broken, found.files, entry)] };
}

function toVerdict(state: LogState, broken: number, files: number, entry: number | null): string {
  if (state === 'broken') return `${paint('broken', 31, process.stdout)}: ${toCount(broken, 'finding')}`;
  if (state === 'signer-unknown')
    return `${paint('consistent in itself', 33, process.stdout)}, signer not checked: give the public key of the log with --key, or a --policy`;
  return `${paint('whole', 32, process.stdout)}: ${toCount(files, 'file')} as they were made, and entry ${entry} of the log tells of them`;
}

/** Of the workspace that the token is of; without a file, what its own documents declare. */
async function toServerAsked(server: Server, asked: Asked, { file }: ReportOptions): Promise<Asked> {
  const declared = file === undefined ? await readServerDeclared(server, asked.period) : asked.declared;
  return { ...asked, declared, workspace: await readWorkspaceName(server) };
}

/** Computed there: less work here, and more to believe. Says so beside it. */
async function writeRendered(name: ReportName, period: Period, options: ReportOptions, isPackage: boolean): Promise<number> {
  const server = await requireServer(options, 'report');
  for (const option of ['file', 'log', 'key', 'policy'] as const)
    if (options[option] !== undefined)
      throw new InputError('OPTION_INVALID', {
        name: `--${option} with --rendered`,
        expected: 'none: the service computes it from its own log',
      });
  const out = options.out ?? (isPackage ? toPackageName(name, await readWorkspaceName(server), period) : undefined);
  const format = options.format === 'text' ? undefined : options.format;
  const state = await fetchRendered(server, toRenderedPath(name, period, format), out);
  process.stderr.write(
    `computed by ${stripControls(server.own.host)}, whose word is all there is for what it says of its log; without --rendered it is computed here\n`,
  );
  return exitCodes[state];
}

/** Documents of a home are of the one workspace that a command line has. */
export async function toAsked(name: ReportName, options: ReportOptions): Promise<Asked> {
  const period = toPeriod(options);
  const declared = await readDeclared(options.file, period);
  return { report: name, period, workspace: 'default', product: readProduct(), declared };
}
