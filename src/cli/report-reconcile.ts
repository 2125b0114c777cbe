// `bauta report reconcile`: what the log of a service tells, computed here, held against the rows that the service says it has.
import { setTimeout as sleep } from 'node:timers/promises';

import { systemClock } from '../kernel/clock.js';
import { type Finding, InputError, toFinding } from '../kernel/errors.js';
import { readEntries, verifyChain } from '../pipeline/audit/audit.js';
import { type Reconciled, type StoredRow, notHeld, readLater, reconcile } from '../pipeline/report/report.js';
import { printError, stripControls, toCount, toFindingText, toTable, writeJson } from './print.js';
import { type ReportLog, type ReportOptions, exitCodes, openReportLog } from './report-log.js';
import { type Server, requireServer } from './server.js';

/** What is younger may have come between the two looks: it is looked at again. */
const SETTLED_MS = 60_000;
const AGAIN_MS = 10_000;

export async function reportReconcile(options: ReportOptions): Promise<number> {
  const server = await requireServer(options, 'report');
  for (const name of ['from', 'to', 'log', 'out'] as const)
    if (options[name] !== undefined)
      throw new InputError('OPTION_INVALID', { name: `--${name}`, expected: 'none: all that the log has is held against the service' });
  const log = await openReportLog(options);
  const { files, verifier, policy } = log;
  const chain = await verifyChain(files, { known: [], ...(verifier ? { verifier } : {}), ...(policy ? { policy } : {}) });
  // Too few witnesses are too few witnesses; the log is what it is.
  const isBroken = chain.findings.some(({ code, severity }) => severity === 'error' && code !== 'LOG_UNWITNESSED');
  const found = isBroken ? [] : await lookTwice(server, log);
  const findings = [...chain.findings, ...toFindings(found)];
  const state = findings.some(({ severity }) => severity === 'error') ? 'broken' : chain.signatureChecked ? 'whole' : 'signer-unknown';
  if (options.json === true) writeJson({ state, populations: found, notHeld: isBroken ? [] : notHeld, findings });
  else tell(found, findings);
  if (isBroken) printError(new InputError('LOG_NOT_WHOLE', { amount: toCount(chain.findings.length, 'finding') }), []);
  return exitCodes[state];
}

/** What is apart at both looks is apart, and what is other is other. */
async function lookTwice(server: Server, log: ReportLog): Promise<readonly Reconciled[]> {
  const youngest = new Date(systemClock.now() - SETTLED_MS).toISOString();
  const found = await look(server, log);
  if (!found.some(({ held }) => held.some(({ apart, changed }) => changed.length > 0 || apart.some(({ at }) => at > youngest))))
    return found;
  await sleep(AGAIN_MS);
  const before = new Set(found.flatMap((one) => one.held.flatMap((held) => keysOf(one, held))));
  return (await look(server, log)).map((one) => ({
    ...one,
    held: one.held.map((held) => ({
      ...held,
      apart: held.apart.filter(({ id }) => before.has(toKey(one, held, id))),
      changed: held.changed
        .map(({ id, columns }) => ({ id, columns: columns.filter((column) => before.has(toKey(one, held, id, column))) }))
        .filter(({ columns }) => columns.length > 0),
    })),
  }));
}

const keysOf = (one: Reconciled, held: Reconciled['held'][number]): readonly string[] => [
  ...held.apart.map(({ id }) => toKey(one, held, id)),
  ...held.changed.flatMap(({ id, columns }) => columns.map((column) => toKey(one, held, id, column))),
];
const toKey = ({ population }: Reconciled, { table }: Reconciled['held'][number], ...of: readonly string[]): string =>
  JSON.stringify([population, table, ...of]);

const look = (server: Server, { files }: ReportLog): Promise<readonly Reconciled[]> =>
  reconcile(readEntries(files, { later: readLater }), (name) => server.each<StoredRow>(`/v1/reports/rows/${name}`), systemClock.now());

const toFindings = (found: readonly Reconciled[]): readonly Finding[] =>
  found.flatMap(({ population, held }) =>
    held.flatMap(({ table, apart, changed }) => [
      ...apart.map(({ id, missing }) =>
        toFinding(missing === 'row' ? 'ROW_MISSING' : 'ENTRY_MISSING', { table, name: population, object: id }),
      ),
      ...changed.flatMap(({ id, columns }) =>
        columns.map((column) => toFinding('ROW_CHANGED', { table, name: population, object: id, column })),
      ),
    ]),
  );

function tell(found: readonly Reconciled[], findings: readonly Finding[]): void {
  const rows = found.flatMap(({ population, items, held }) =>
    held.length === 0
      ? [[population, String(items), 'the log alone has it', '', '', '', '']]
      : held.map(({ table, told, rows: stored, apart, changed }, at) => [
          ...(at === 0 ? [population, String(items)] : ['', '']),
          ...[table, String(told), String(stored), String(apart.length), String(changed.length)],
        ]),
  );
  if (rows.length > 0)
    process.stdout.write(`${toTable([['POPULATION', 'ITEMS', 'TABLE', 'TOLD', 'ROWS', 'APART', 'CHANGED'], ...rows], '')}\n`);
  for (const finding of findings) process.stdout.write(`${stripControls(toFindingText(finding), '\n\u001b')}\n`);
  if (rows.length === 0) return;
  for (const { tables, why } of notHeld) process.stdout.write(`not held against the log: ${why} (${tables.join(', ')})\n`);
  process.stdout.write(`${toVerdict(found)}\n`);
}

function toVerdict(found: readonly Reconciled[]): string {
  const held = found.filter((one) => one.held.length > 0);
  const tables = held.flatMap((one) => one.held);
  const [apart, changed] = [sum(tables.map((one) => one.apart.length)), sum(tables.map((one) => one.changed.length))];
  return `${toCount(held.length, 'population')} held against tables of the service, ${toCount(apart, 'row or entry', 'rows or entries')} missing, ${toCount(changed, 'row')} changed; ${toCount(found.length - held.length, 'population')} the log alone has`;
}

const sum = (all: readonly number[]): number => all.reduce((of, one) => of + one, 0);
