// `bauta datasets`: the versions that a target has, by what each says of itself.
import { systemClock } from '../kernel/clock.js';
import { type MarkedDataset, readMarkedDatasets } from '../pipeline/marked-datasets.js';
import { FileAuditSink } from '../systems/files/files.js';
import { type ComposeOptions, composeTarget } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { type Subject, choosePlace } from './place.js';
import { toTable, writeJson } from './print.js';
import type { Server } from './server.js';

export async function datasets(options: GlobalOptions & Subject): Promise<number> {
  const place = await choosePlace('datasets', options);
  const versions = place.server ? await readThere(place.server, place.pipeline) : await readHere({ ...options, file: place.file });
  if (wantsJson(options)) writeJson({ datasets: versions, findings: [] });
  else if (versions.length === 0) process.stdout.write('no dataset yet: bauta run makes the first\n');
  else process.stdout.write(`${toVersionTable(versions)}\n`);
  return 0;
}

async function readThere(server: Server, pipeline: string): Promise<readonly MarkedDataset[]> {
  const { items } = await server.ask<{ items: readonly MarkedDataset[] }>('GET', `/v1/datasets?pipeline=${encodeURIComponent(pipeline)}`);
  return items;
}

async function readHere(options: ComposeOptions): Promise<readonly MarkedDataset[]> {
  const { target, verifiers, settings } = await composeTarget(options);
  const sink = new FileAuditSink({ home: options.home ?? settings.BAUTA_HOME, period: settings.BAUTA_LOG_PERIOD });
  try {
    return await readMarkedDatasets({ target, sink, clock: systemClock }, verifiers);
  } finally {
    await sink.close();
    await target.close();
  }
}

function toVersionTable(versions: readonly MarkedDataset[]): string {
  const rows = versions.map(({ target: name, version, marker, database, schema, publishedAt, runId, ...more }) => [
    ...[name, String(version), toStateText(more), marker],
    ...[schema === undefined ? database : `${database} (${schema})`, publishedAt ?? '', runId],
  ]);
  return toTable([['TARGET', 'VERSION', 'STATE', 'MARKER', 'DATABASE', 'PUBLISHED', 'RUN'], ...rows], '');
}

/** With what is out of the ordinary. */
function toStateText({
  state,
  closed,
  rolledBack,
  heldUntil,
}: Pick<MarkedDataset, 'state' | 'closed' | 'rolledBack' | 'heldUntil'>): string {
  const more = [...(closed ? [closed] : []), ...(rolledBack ? ['rolled back'] : []), ...(heldUntil ? [`held until ${heldUntil}`] : [])];
  return [state, ...more].join(', ');
}
