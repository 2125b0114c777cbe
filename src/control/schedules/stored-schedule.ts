// A schedule as the database has it: its document, and what follows for the clock when a version of it is applied.
import { loadWritten, nextDue } from '../../documents/documents.js';
import type { Json } from '../../kernel/canonical-json.js';
import type { Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { ScheduleDefinition } from '../../pipeline/definition.js';
import type { Transaction } from '../../systems/metadata/metadata.js';

/** Throws RESOURCE_UNKNOWN, or DOCUMENTS_INVALID where a later release does not take what an earlier one did. */
export async function getSchedule(
  { documents }: Transaction,
  { name, version }: { readonly name: string; readonly version: number },
): Promise<ScheduleDefinition> {
  const document = await documents.find({ kind: 'Schedule', name }, version);
  if (!document) throw toError('RESOURCE_UNKNOWN', { type: 'schedule' });
  return parseSchedule(document.document);
}

async function parseSchedule(written: object): Promise<ScheduleDefinition> {
  const { definitions, findings } = await loadWritten([{ file: 'schedule', written }]);
  const body = definitions[0]?.body;
  if (body?.kind !== 'Schedule') throw toError('DOCUMENTS_INVALID', { file: 'schedule', amount: String(findings.length) }, findings);
  return body;
}

/** From the moment it is applied the new version holds: what was due before that is the old one's, and is not run any more. Gives what the log is told. */
export async function followSchedule(transaction: Transaction, written: object, version: number, clock: Clock): Promise<Json> {
  const schedule = await parseSchedule(written);
  const { name, pipeline, overlap, cron, timeZone, startDate } = schedule;
  const decidedTo = new Date(clock.now());
  await transaction.schedules.put({ name, version, pipeline, overlap, decidedTo, nextDueAt: nextDue(schedule, decidedTo.getTime()) });
  return { pipeline, cron, timeZone, ...(startDate === undefined ? {} : { startDate }) };
}
