// `bauta audit delete LOG` and `bauta audit erase ID`: what retention and erasure ask for, told in the log before and after.
import { basename } from 'node:path';

import { parseSettings } from '../config/settings.js';
import { systemClock } from '../kernel/clock.js';
import { type Finding, toError } from '../kernel/errors.js';
import { newRunId } from '../kernel/ids.js';
import { FileAuditSink, deleteLog, eraseOne } from '../systems/files/files.js';
import { userName } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, stripControls, toCount, writeJson } from './print.js';

export interface DeleteOptions extends GlobalOptions {
  readonly reason?: string;
}

interface Looked {
  readonly state: string;
  readonly report: { readonly findings: readonly Finding[] };
}

/** `name`: a period as in 2026, or an origin that ends in one. `look` checks the chain, which MUST be whole. */
export async function deleteOldLog(name: string, options: DeleteOptions, look: () => Promise<Looked>): Promise<number> {
  const reason = requireReason(options);
  const log = basename(name);
  if (!/^\d{4}(-\d\d)?$/.test(log)) throw toError('OPTION_INVALID', { name: 'LOG', expected: 'the name of a log, as in 2026' });
  const { home, settings, clock, sink } = open(options);
  const { state, report } = await look();
  const broken = report.findings.filter(({ severity }) => severity === 'error');
  if (state !== 'whole') throw toError('LOG_NOT_WHOLE', { amount: toCount(broken.length, 'finding') }, broken);
  const order = { log, reason, retentionDays: settings.BAUTA_LOG_RETENTION_DAYS, runId: newRunId(clock.now()) };
  try {
    const deleted = await deleteLog({ home, sink, clock }, { ...order, actor: await sink.identify(userName()) });
    if (wantsJson(options)) writeJson({ deleted: deleted ?? null, findings: [] });
    else if (!deleted) process.stdout.write(`${log} was deleted before: bauta audit verify says by which entry\n`);
    else {
      const { checkpoint, index } = deleted.entry;
      const place = `${basename(checkpoint.origin)}/${index}`;
      const what = `${deleted.origin} (${toCount(deleted.size, 'entry', 'entries')})`;
      process.stdout.write(stripControls(`${paint('deleted', 32, process.stdout)}: ${what}, by entry ${place}`) + '\n');
    }
    return 0;
  } finally {
    await sink.close();
  }
}

/** `what`: a commitment, a person's id, or a name. It is not repeated: it may be the name of a person. */
export async function eraseKept(what: string, options: DeleteOptions): Promise<number> {
  const reason = requireReason(options);
  const { home, clock, sink } = open(options);
  try {
    const actor = await sink.identify(userName());
    const { of, entry } = await eraseOne({ home, sink, clock }, { what, reason, actor, runId: newRunId(clock.now()) });
    const place = entry ? `${basename(entry.checkpoint.origin)}/${entry.index}` : null;
    if (wantsJson(options)) writeJson({ erased: of, entry: place, findings: [] });
    else if (place === null) process.stdout.write(`${of} was erased before\n`);
    else process.stdout.write(`${paint('erased', 32, process.stdout)}: ${of}, by entry ${place}\n`);
    return 0;
  } finally {
    await sink.close();
  }
}

function requireReason({ reason }: DeleteOptions): string {
  if (reason === undefined || reason.trim() === '') throw toError('OPTION_MISSING', { name: '--reason', expected: 'bauta audit --help' });
  return reason;
}

function open(options: DeleteOptions) {
  const settings = parseSettings(process.env);
  const home = options.home ?? settings.BAUTA_HOME;
  return { home, settings, clock: systemClock, sink: new FileAuditSink({ home, period: settings.BAUTA_LOG_PERIOD }) };
}
