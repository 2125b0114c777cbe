// `bauta audit delete LOG` and `bauta audit erase ID`: what retention and erasure ask for, told in the log before and after.
import { basename } from 'node:path';

import { parseSettings } from '../config/settings.js';
import { systemClock } from '../kernel/clock.js';
import { type Finding, toError, toFinding } from '../kernel/errors.js';
import { newRunId } from '../kernel/ids.js';
import type { Appended } from '../pipeline/event.js';
import { type Deleted, FileAuditSink, deleteLog, eraseOne } from '../systems/files/files.js';
import { userName } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, stripControls, toCount, toFindingText, writeJson } from './print.js';
import { type Server, findServer } from './server.js';

export interface DeleteOptions extends GlobalOptions {
  readonly reason?: string;
  readonly also?: readonly string[];
}

interface PersonErased {
  readonly of: string;
  readonly erased: { readonly stillIn: readonly string[] } | null;
  readonly entry: Appended | null;
}

interface Looked {
  readonly state: string;
  readonly report: { readonly findings: readonly Finding[] };
}

/** `name`: a period as in 2026, or an origin that ends in one. `look` checks the chain, which MUST be whole; a service checks its own. */
export async function deleteOldLog(name: string, options: DeleteOptions, look: () => Promise<Looked>): Promise<number> {
  const reason = requireReason(options);
  const log = basename(name);
  if (!/^\d{4}(-\d\d)?$/.test(log)) throw toError('OPTION_INVALID', { name: 'LOG', expected: 'the name of a log, as in 2026' });
  const server = await findServer(options);
  if (server) {
    const { deleted } = await server.post<{ deleted: Deleted | null }>(`/v1/audit/log/${log}/delete`, { reason });
    return tellDeleted(log, deleted ?? undefined, options);
  }
  const { home, settings, clock, sink } = open(options);
  const { state, report } = await look();
  const broken = report.findings.filter(({ severity }) => severity === 'error');
  if (state !== 'whole') throw toError('LOG_NOT_WHOLE', { amount: toCount(broken.length, 'finding') }, broken);
  const order = { log, reason, retentionDays: settings.BAUTA_LOG_RETENTION_DAYS, runId: newRunId(clock.now()) };
  try {
    return tellDeleted(log, await deleteLog({ home, sink, clock }, { ...order, actor: await sink.identify(userName()) }), options);
  } finally {
    await sink.close();
  }
}

function tellDeleted(log: string, deleted: Deleted | undefined, options: DeleteOptions): number {
  if (wantsJson(options)) writeJson({ deleted: deleted ?? null, findings: [] });
  else if (!deleted) process.stdout.write(`${log} was deleted before: bauta audit verify says by which entry\n`);
  else {
    const what = `${deleted.origin} (${toCount(deleted.size, 'entry', 'entries')})`;
    process.stdout.write(
      stripControls(`${paint('deleted', 32, process.stdout)}: ${what}, by entry ${toPlace(deleted.entry)}`, '\u001b') + '\n',
    );
  }
  return 0;
}

/** `what`: a commitment, a person's id, or a name. It is not repeated: it may be the name of a person. */
export async function eraseKept(what: string, options: DeleteOptions): Promise<number> {
  const reason = requireReason(options);
  const server = await findServer(options);
  if (server) {
    if (!/^sha256:[0-9a-f]{64}$/.test(what)) return erasePerson(server, what, options, reason);
    const order = { commitment: what, reason };
    const { of, entry } = await server.post<{ of: string; entry: Appended | null }>('/v1/audit/log/texts/erase', order);
    return tellErased(of, entry ?? undefined, options);
  }
  const { home, clock, sink } = open(options);
  try {
    const actor = await sink.identify(userName());
    const { of, entry } = await eraseOne({ home, sink, clock }, { what, reason, actor, runId: newRunId(clock.now()) });
    return tellErased(of, entry, options);
  } finally {
    await sink.close();
  }
}

/** By name or id: the service says what was in the way, and where the name still stands. */
async function erasePerson(server: Server, who: string, options: DeleteOptions, reason: string): Promise<number> {
  const { also: names = [] } = options;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(who))
    throw toError('OPTION_INVALID', { name: 'what to erase', expected: 'a commitment, or the name or id of a person of the service' });
  const path = `/v1/people/${who}/erase`;
  const { of, erased, entry } = await server.post<PersonErased>(path, { reason, ...(names.length > 0 ? { names } : {}) });
  const findings = (erased?.stillIn ?? []).map((name) => toFinding('PERSON_STILL_NAMED', { name }, 'warning'));
  if (wantsJson(options)) {
    writeJson({ erased: of, entry: entry ? toPlace(entry) : null, findings });
    return 0;
  }
  tellErased(of, entry ?? undefined, options);
  for (const finding of findings) process.stdout.write(`${toFindingText(finding)}\n`);
  return 0;
}

function tellErased(of: string, entry: Appended | undefined, options: DeleteOptions): number {
  const place = entry ? toPlace(entry) : null;
  if (wantsJson(options)) writeJson({ erased: of, entry: place, findings: [] });
  else if (place === null) process.stdout.write(`${of} was erased before\n`);
  else process.stdout.write(`${paint('erased', 32, process.stdout)}: ${of}, by entry ${place}\n`);
  return 0;
}

/** Log and number, as in 2026/17. */
const toPlace = ({ checkpoint, index }: Appended): string => `${basename(checkpoint.origin)}/${index}`;

function requireReason({ reason }: DeleteOptions): string {
  if (reason === undefined || reason.trim() === '') throw toError('OPTION_MISSING', { name: '--reason', expected: 'bauta audit --help' });
  return reason;
}

function open(options: DeleteOptions) {
  const settings = parseSettings(process.env);
  const home = options.home ?? settings.BAUTA_HOME;
  return { home, settings, clock: systemClock, sink: new FileAuditSink({ home, period: settings.BAUTA_LOG_PERIOD }) };
}
