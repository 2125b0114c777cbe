// Reports of a service's log, in the process that was started for them: the log is read as an auditor reads it, checked first, and what documents declare
// is what they said in the period.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../kernel/clock.js';
import { digestBytes } from '../kernel/digest.js';
import { toError } from '../kernel/errors.js';
import { type LogEnd, type LogFiles, prove } from '../pipeline/audit/audit.js';
import type { CheckedLog, Declared, LogState, Period } from '../pipeline/report/report.js';
import { toDay } from '../pipeline/report/report.js';
import type { Metadata } from '../systems/metadata/metadata.js';
import { type Applied, declaring, toDeclared } from './declared.js';
import { type Asked, makeReport } from './look-at-log.js';
import { makeBreachReport } from './make-breach-report.js';
import { makePackage, toTrustPolicy } from './make-package.js';
import { type PackageLog, withCheckpoint } from './package-log.js';
import { readProduct } from './product.js';
import { renderPackaged, renderReport } from './render-report.js';
import type { MadePaper, ReportFormat, ReportOrder } from './report-order.js';
import { type Telling, type ToldReport, tellReport } from './tell-report.js';

const PAGE = 200;

/** Throws LOG_NOT_WHOLE, REPORT_PERIOD_EMPTY, PACKAGE_TOO_LARGE, OUTPUT_UNWRITABLE or LOG_NOT_SEQUENCED. */
export async function makeReports(
  metadata: Metadata,
  clock: Clock,
  { workspaceId, workspace, actor, period, papers, policy, folder }: Omit<ReportOrder, 'metadata'>,
): Promise<readonly MadePaper[]> {
  const log = await openLog({ metadata, clock, workspaceId, actor }, period);
  const declared = await readDeclaredIn(metadata, workspaceId, period);
  const made: MadePaper[] = [];
  for (const { report, format } of papers) {
    const asked: Asked = { report, period, workspace, product: readProduct(), declared };
    const name = `${report}-${workspace}-${toDay(period.from)}-${toDay(period.to)}.${format}`;
    const path = join(folder, name);
    const state = await write(log, asked, format, { path, policy });
    made.push({ report, format, name, state, bytes: (await stat(path)).size, sha256: await digestOf(path) });
  }
  return made;
}

async function write(
  { own, tell }: OpenLog,
  asked: Asked,
  format: ReportFormat,
  { path, policy }: { readonly path: string; readonly policy: string | null },
): Promise<LogState> {
  if (format === 'zip') {
    await makePackage(own, asked, path, renderPackaged, policy ?? undefined);
    return 'whole';
  }
  const { document, log } = await makeReport(own.files, asked, own.verifier, toTrustPolicy(policy));
  const bytes = await renderReport(document, format);
  await writeFile(path, bytes, { mode: 0o600 }).catch(() => {
    throw toError('OUTPUT_UNWRITABLE', { file: path });
  });
  await tell(toTold(asked, format, bytes, log));
  return log.state;
}

/** The worksheet of a breach in one environment, as one page that prints: what `bauta report breach` makes. Throws as `makeReports` does. */
export async function makeWorksheet(
  metadata: Metadata,
  clock: Clock,
  {
    workspaceId,
    workspace,
    actor,
    window,
    environment,
    policy,
  }: Omit<ReportOrder, 'metadata' | 'period' | 'papers' | 'folder'> & {
    readonly window: Period;
    readonly environment: string;
  },
): Promise<Buffer> {
  const { own, tell } = await openLog({ metadata, clock, workspaceId, actor }, window);
  const declared = await readDeclaredIn(metadata, workspaceId, window);
  const asked = { workspace, product: readProduct(), declared, breach: { environment, window } };
  const { document, log } = await makeBreachReport(own.files, asked, own.verifier, toTrustPolicy(policy));
  const bytes = await renderReport(document, 'html');
  await tell(toTold({ report: 'breach', period: window }, 'html', bytes, log));
  return bytes;
}

function toTold(
  { report, period: { from, to } }: { readonly report: string; readonly period: Period },
  format: ReportFormat,
  bytes: Uint8Array,
  { checkpoint: { origin, size, root } }: CheckedLog,
): ToldReport {
  const upTo = { log: origin.slice(origin.lastIndexOf('/') + 1), size, root };
  return { report, format, from, to, digest: digestBytes(bytes), upTo };
}

interface OpenLog {
  readonly own: PackageLog;
  readonly tell: (made: Parameters<typeof tellReport>[1]) => ReturnType<typeof tellReport>;
}

async function openLog(telling: Telling, { to }: Period): Promise<OpenLog> {
  const { metadata, workspaceId } = telling;
  const verifier = await metadata.within(workspaceId, ({ log }) => log.verifier());
  if (!verifier) throw toError('REPORT_PERIOD_EMPTY', { expected: to });
  // Each file in a transaction of its own: none is held open while a report is computed.
  const files: LogFiles = {
    read: (path) => metadata.within(workspaceId, ({ log }) => log.files().read(path)),
    list: (path) => metadata.within(workspaceId, ({ log }) => log.files().list(path)),
  };
  const noteAt = async ({ log: name, size }: LogEnd): Promise<string> => {
    const note = await metadata.within(workspaceId, ({ log }) => log.noteOf(name, size));
    if (note === undefined) throw toError('LOG_INCONSISTENT', { file: name });
    return note;
  };
  const tell: OpenLog['tell'] = (made) => tellReport(telling, made);
  return {
    tell,
    own: {
      ...{ files, verifier, noteAt },
      tell: async (made) => {
        const { log, index } = await tell(made);
        const end = { log, size: index + 1 };
        return prove(withCheckpoint(files, end, await noteAt(end)), log, index);
      },
    },
  };
}

/** Every version of every document of the workspace that declares something, as they were in force. */
async function readDeclaredIn(metadata: Metadata, workspaceId: string, period: Period): Promise<Declared> {
  const versions: Applied[] = [];
  for (const kind of declaring)
    for (let after: string | undefined = ''; after !== undefined;) {
      const page = await metadata.within(workspaceId, ({ documents }) => documents.history(kind, PAGE, after));
      versions.push(...page);
      after = page.length > 0 ? page.at(-1)?.name : undefined;
    }
  return toDeclared(versions, period);
}

async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer);
  return digest.digest('hex');
}
