// `bauta reports`: the reports that a service made of each day, and their files, held against the digests that stand beside them.
import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';

import { InputError, toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { stripControls, toCount, toTable, writeJson } from './print.js';
import { type Server, parseAnswer, requireServer } from './server.js';

export interface ReportsOptions extends GlobalOptions {
  readonly out?: string;
}

interface File {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

interface Daily {
  readonly day: string;
  readonly from: string;
  readonly to: string;
  readonly zone: string;
  readonly state: 'due' | 'failed' | 'made';
  readonly code: string | null;
  readonly madeAt: string | null;
  readonly files: readonly File[];
}

const SILENT_MS = 60_000;

export async function reports(action: string, day: string | undefined, options: ReportsOptions): Promise<number> {
  if (action !== 'list' && action !== 'get') throw new InputError('OPTION_INVALID', { name: 'the action', expected: 'list or get DAY' });
  if (action === 'get' && day === undefined) throw new InputError('OPTION_MISSING', { name: 'DAY', expected: 'bauta reports --help' });
  const server = await requireServer(options, 'reports');
  const all = await server.list<Daily>('/v1/reports');
  return action === 'list' ? tellAll(all, options) : fetchAll(server, all, day!, options);
}

function tellAll(all: readonly Daily[], options: ReportsOptions): number {
  const shown = all.map(({ day, from, to, zone, state, code, madeAt, files }) => ({ day, from, to, zone, state, code, madeAt, files }));
  if (wantsJson(options)) writeJson({ reports: shown, findings: [] });
  else {
    const rows = shown.map(({ day, zone, state, code, madeAt, files }) => [
      day,
      zone,
      code === null ? state : `${state}: ${code}`,
      madeAt ?? '',
      toCount(files.length, 'file'),
    ]);
    process.stdout.write(`${toTable([['DAY', 'ZONE', 'STATE', 'MADE', 'FILES'], ...rows], '')}\n`);
  }
  return 0;
}

/** Into a folder of that day's name. Throws RESOURCE_UNKNOWN, REPORT_ALTERED or OUTPUT_UNWRITABLE. */
async function fetchAll(server: Server, all: readonly Daily[], day: string, options: ReportsOptions): Promise<number> {
  const wanted = all.find((one) => one.day === day && one.state === 'made');
  if (!wanted) throw toError('RESOURCE_UNKNOWN', { type: 'daily report' });
  const folder = options.out ?? `report-${wanted.day}`;
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => {
    throw toError('OUTPUT_UNWRITABLE', { file: folder });
  });
  for (const file of wanted.files) await fetchOne(server, wanted.day, file, folder);
  const files = wanted.files.map(({ name }) => join(folder, name));
  if (wantsJson(options)) writeJson({ day: wanted.day, files, findings: [] });
  else
    process.stdout.write(
      `${files.map((one) => `${stripControls(one)}\n`).join('')}the log was told the digest of SHA256SUMS (daily-report.made)\n`,
    );
  return 0;
}

async function fetchOne(server: Server, day: string, { name, bytes, sha256 }: File, folder: string): Promise<void> {
  // A name is one of a file and of no folder, whoever says it.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw toError('REPORT_ALTERED', { name: server.own.host });
  const { pieces, close, body } = await server.own.stream(`/v1/reports/daily/${day}/${encodeURIComponent(name)}`, {}, SILENT_MS);
  if (!pieces) throw server.toTheirs(parseAnswer(body));
  const path = join(folder, name);
  const file = await open(path, 'w', 0o600).catch(() => {
    throw toError('OUTPUT_UNWRITABLE', { file: path });
  });
  const hash = createHash('sha256');
  let came = 0;
  try {
    for await (const piece of pieces) {
      if ((came += piece.length) > bytes) break;
      hash.update(piece);
      await file.appendFile(piece);
    }
  } catch {
    throw toError('SERVER_UNREACHABLE', { name: server.own.host });
  } finally {
    close();
    await file.close();
  }
  if (came !== bytes || hash.digest('hex') !== sha256) throw toError('REPORT_ALTERED', { name: server.own.host });
}
