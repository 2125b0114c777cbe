// `bauta report reconcile`: what the log of a service tells, computed here, held against the rows that the service says it has.
import { setTimeout as sleep } from 'node:timers/promises';

import { systemClock } from '../kernel/clock.js';
import { type Finding, InputError, toFinding } from '../kernel/errors.js';
import { readEntries, verifyChain } from '../pipeline/audit/audit.js';
import {
  type CounterpartName,
  type Reconciled,
  type StoredRow,
  counterpartNames,
  readLater,
  reconcile,
} from '../pipeline/report/report.js';
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
  if (options.json === true) writeJson({ state, populations: found, findings });
  else tell(found, findings);
  if (isBroken) printError(new InputError('LOG_NOT_WHOLE', { amount: toCount(chain.findings.length, 'finding') }), []);
  return exitCodes[state];
}

/** What is apart at both looks is apart. */
async function lookTwice(server: Server, log: ReportLog): Promise<readonly Reconciled[]> {
  const found = await look(server, log);
  const youngest = new Date(systemClock.now() - SETTLED_MS).toISOString();
  if (!found.some(({ held }) => held.some(({ apart }) => apart.some(({ at }) => at > youngest)))) return found;
  await sleep(AGAIN_MS);
  const before = new Set(found.flatMap((one) => one.held.flatMap(({ table, apart }) => apart.map(({ id }) => toKey(one, table, id)))));
  return (await look(server, log)).map((one) => ({
    ...one,
    held: one.held.map((table) => ({ ...table, apart: table.apart.filter(({ id }) => before.has(toKey(one, table.table, id))) })),
  }));
}

const toKey = ({ population }: Reconciled, table: string, id: string): string => JSON.stringify([population, table, id]);

async function look(server: Server, { files }: ReportLog): Promise<readonly Reconciled[]> {
  const rows = new Map<CounterpartName, readonly StoredRow[]>();
  for (const name of counterpartNames) rows.set(name, await server.list<StoredRow>(`/v1/reports/rows/${name}`));
  return reconcile(readEntries(files, { later: readLater }), rows, systemClock.now());
}

const toFindings = (found: readonly Reconciled[]): readonly Finding[] =>
  found.flatMap(({ population, held }) =>
    held.flatMap(({ table, apart }) =>
      apart.map(({ id, missing }) =>
        toFinding(missing === 'row' ? 'ROW_MISSING' : 'ENTRY_MISSING', { table, name: population, object: id }),
      ),
    ),
  );

function tell(found: readonly Reconciled[], findings: readonly Finding[]): void {
  const rows = found.flatMap(({ population, items, held }) =>
    held.length === 0
      ? [[population, String(items), 'the log alone has it', '', '', '']]
      : held.map(({ table, told, rows: stored, apart }, at) => [
          ...(at === 0 ? [population, String(items)] : ['', '']),
          ...[table, String(told), String(stored), String(apart.length)],
        ]),
  );
  if (rows.length > 0) process.stdout.write(`${toTable([['POPULATION', 'ITEMS', 'TABLE', 'TOLD', 'ROWS', 'APART'], ...rows], '')}\n`);
  for (const finding of findings) process.stdout.write(`${stripControls(toFindingText(finding), '\n\u001b')}\n`);
  if (rows.length > 0) process.stdout.write(`${toVerdict(found)}\n`);
}

function toVerdict(found: readonly Reconciled[]): string {
  const held = found.filter((one) => one.held.length > 0);
  const apart = found.reduce((sum, one) => sum + one.held.reduce((of, table) => of + table.apart.length, 0), 0);
  return `${toCount(held.length, 'population')} held against tables of the service, ${toCount(apart, 'row or entry', 'rows or entries')} missing; ${toCount(found.length - held.length, 'population')} the log alone has`;
}
