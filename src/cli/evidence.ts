// `bauta evidence`: a report of a scanner or a test goes to a service, which reads it, keeps its sums and says what it is worth.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { InputError, toError } from '../kernel/errors.js';
import { type ScanFormat, detectFormat, scanFormats, severities } from '../systems/scanners/scanners.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, toTable, writeJson } from './print.js';
import { type Server, requireServer } from './server.js';

export interface EvidenceOptions extends GlobalOptions {
  readonly type?: ScanFormat;
  readonly commit?: string;
  readonly image?: string;
  readonly environment?: string;
  readonly repository?: string;
  readonly reason?: string;
}

interface Evidence {
  readonly id: string;
  readonly format: ScanFormat;
  readonly tool: { readonly name: string; readonly version: string | null };
  readonly subject: { readonly kind: string; readonly name: string; readonly stated: boolean };
  readonly receivedAt: string;
  readonly missing: string | null;
  readonly counts: Readonly<Record<string, { readonly open: number; readonly fixable: number }>>;
  readonly suppressed: number;
  readonly newFindings: number | null;
  readonly fixedFindings: number | null;
}

interface Found {
  readonly rule: string;
  readonly severity: string;
  readonly fixable: boolean;
  readonly place: string;
  readonly fingerprint: string;
  readonly state: string;
}

export async function evidence(action: string, what: string | undefined, options: EvidenceOptions): Promise<number> {
  if (!['send', 'list', 'show', 'withdraw'].includes(action))
    throw toError('OPTION_INVALID', { name: 'the action', expected: 'send, list, show or withdraw' });
  const server = await requireServer(options, 'evidence');
  if (action === 'list') return list(server, options);
  const name = action === 'send' ? 'the file of the report' : 'the id of a report';
  if (what === undefined) throw new InputError('OPTION_MISSING', { name, expected: 'bauta evidence --help' });
  if (action === 'withdraw') return withdraw(server, what, options);
  return action === 'send' ? send(server, what, options) : show(server, what, options);
}

/** Exit code 1: it was kept, and is no evidence. */
async function send(server: Server, file: string, options: EvidenceOptions): Promise<number> {
  const body = await readFile(file).catch(() => {
    throw toError('SCAN_MISSING', { file });
  });
  const format = options.type ?? (await detectFormat(createReadStream(file)));
  if (!format) throw new InputError('OPTION_MISSING', { name: '--type', expected: scanFormats.join(', ') });
  const query = new URLSearchParams({ format, ...toSubject(options) });
  const sent = await server.ask<Evidence>('POST', `/v1/evidence?${query.toString()}`, {
    body: body.toString('utf8'),
    headers: { 'Content-Type': format === 'junit' ? 'application/xml' : 'application/json' },
  });
  if (wantsJson(options)) writeJson({ evidence: sent, findings: [] });
  else process.stdout.write(`${toSentText(sent)}\n`);
  return sent.missing === null ? 0 : 1;
}

async function list(server: Server, options: EvidenceOptions): Promise<number> {
  const query = new URLSearchParams(toSubject(options)).toString();
  const found = await server.list<Evidence>(`/v1/evidence${query === '' ? '' : `?${query}`}`);
  if (wantsJson(options)) writeJson({ evidence: found, findings: [] });
  else if (found.length === 0) process.stdout.write('nothing was sent: bauta evidence send --help\n');
  else {
    const rows = found.map((one) => [
      ...[one.id, one.receivedAt.slice(0, 16), one.format, toToolText(one), `${one.subject.kind} ${one.subject.name.slice(0, 19)}`],
      one.missing ?? toCountText(one),
    ]);
    process.stdout.write(`${toTable([['EVIDENCE', 'RECEIVED', 'FORMAT', 'TOOL', 'OF', 'OPEN'], ...rows], '')}\n`);
  }
  return 0;
}

async function withdraw(server: Server, id: string, options: EvidenceOptions): Promise<number> {
  const { reason } = options;
  if (reason === undefined) throw new InputError('OPTION_MISSING', { name: '--reason', expected: 'bauta evidence --help' });
  const evidence = await server.post<Evidence>(`/v1/evidence/${encodeURIComponent(id)}/withdraw`, { reason });
  if (wantsJson(options)) writeJson({ evidence, findings: [] });
  else process.stdout.write(`withdrawn: what was let through by ${id} is decided again\n`);
  return 0;
}

async function show(server: Server, id: string, options: EvidenceOptions): Promise<number> {
  const path = `/v1/evidence/${encodeURIComponent(id)}`;
  const one = await server.ask<Evidence>('GET', path);
  const items = await server.list<Found>(`${path}/findings`);
  if (wantsJson(options)) writeJson({ evidence: one, items, findings: [] });
  else {
    const rows = items.map(({ rule, severity, fixable, place, fingerprint, state }) => [
      ...[severity, rule, fixable ? 'fixable' : '', state === 'open' ? '' : state, place.slice(0, 80), fingerprint],
    ]);
    const table = rows.length === 0 ? '' : `${toTable([['SEVERITY', 'RULE', 'FIX', 'STATE', 'PLACE', 'FINGERPRINT'], ...rows], '')}\n`;
    process.stdout.write(`${toSentText(one)}\n${table}`);
  }
  return 0;
}

function toSubject({ commit, image, environment, repository }: EvidenceOptions): Readonly<Record<string, string>> {
  const given = Object.entries({ commit, image, environment, repository }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Readonly<Record<string, string>>;
}

const toToolText = ({ tool: { name, version } }: Evidence): string => (version === null ? name : `${name} ${version}`);

/** Most severe first; what nothing is open of is not said. */
function toCountText({ counts }: Evidence): string {
  const said = severities.flatMap((severity) => {
    const { open = 0, fixable = 0 } = counts[severity] ?? {};
    return open === 0 ? [] : [`${open} ${severity}${fixable === 0 ? '' : ` (${fixable} fixable)`}`];
  });
  return said.length === 0 ? 'none' : said.join(', ');
}

function toSentText(one: Evidence): string {
  const { id, missing, suppressed, newFindings, fixedFindings, subject } = one;
  const head = `evidence ${id} of ${subject.kind} ${subject.name}: ${toToolText(one)}`;
  if (missing !== null) return `${head}\n${paint('no evidence', 31, process.stdout)}: ${missing}; a gate takes it for missing`;
  const change = newFindings === null ? 'the first of its line' : `${newFindings} new, ${fixedFindings} mended`;
  return `${head}\nopen: ${toCountText(one)}; ${suppressed} set aside by the report; ${change}`;
}
