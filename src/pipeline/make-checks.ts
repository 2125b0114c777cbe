// The checks of a plan, made in staging before anything is published: counted, held against the version that is current, told to the log.
import type { Finding } from '../kernel/errors.js';
import type { Json } from '../kernel/canonical-json.js';
import { type CheckPlan, type CheckResult, type EarlierFigure, toCheckResults, toTally } from './check.js';
import type { Event } from './event.js';
import { isMarkerOf, openMarker } from './marker.js';
import type { Plan } from './plan.js';
import type { AuditSink, DatasetVersion, Reader, Target } from './ports.js';
import { comparesVersions, judgeChecks, toCountDigest } from './verify/verify.js';

export interface Checking {
  readonly reader: Pick<Reader, 'count'>;
  /** The moment that the rows are of: freshness is held against it. */
  readonly asOfMs: number;
  readonly append: (type: string, data: Event['data']) => Promise<unknown>;
}

/** One event has so many at most: a leaf of the log is small. */
const ofOneEvent = 100;

export async function makeChecks(
  doors: { readonly target: Pick<Target, 'datasets' | 'marker'>; readonly sink: Pick<AuditSink, 'read'> },
  { checks = [] }: Pick<Plan, 'checks'>,
  { reader, asOfMs, append }: Checking,
): Promise<{ readonly results: readonly CheckResult[]; readonly findings: readonly Finding[] }> {
  if (checks.length === 0) return { results: [], findings: [] };
  const earlier = await readEarlier(doors, checks, 'current');
  const counted = await reader.count(checks, asOfMs);
  const made = judgeChecks(checks, counted, earlier);
  for (let at = 0; at < made.results.length; at += ofOneEvent) {
    const results = made.results.slice(at, at + ofOneEvent);
    await append('checks.made', { ...toTally(results), checks: JSON.parse(JSON.stringify(results)) as Json });
  }
  return made;
}

/**
 * The figures of the version in that state: of all rows of a table by the manifest of its marker, of anything else by what its run told the log.
 * Throws when there is a version and it cannot be asked.
 */
export async function readEarlier(
  { target, sink }: { readonly target: Pick<Target, 'datasets' | 'marker'>; readonly sink: Pick<AuditSink, 'read'> },
  checks: readonly CheckPlan[],
  state: DatasetVersion['state'],
): Promise<(check: CheckPlan) => EarlierFigure | undefined> {
  if (!checks.some(comparesVersions)) return () => undefined;
  const version = (await target.datasets()).find((one) => one.state === state);
  if (!version) return () => ({ none: 'no earlier version' });
  const opened = openMarker(await target.marker(version), []);
  const manifest = opened.state === 'whole' && isMarkerOf(opened.marker, version) ? opened.manifest : undefined;
  const told = toCheckResults(await sink.read(['checks.made'], version.runId));
  const known = new Map(told.map((result) => [result.of, result]));
  const rows = new Map(manifest?.map((table) => [`${table.schema}\u0000${table.table}`, table.rows]));
  return (check) => {
    const { version: number } = version;
    if (check.kind === 'rowCount' && check.where === undefined && manifest) {
      const parts = check.parts.map(({ schema, name }) => rows.get(`${schema}\u0000${name}`));
      // A table that was not in that version has no figure there.
      if (parts[0] !== undefined) return { version: number, counted: parts.reduce<number>((sum, part) => sum + (part ?? 0), 0) };
    }
    const result = known.get(toCountDigest(check));
    if (result === undefined || result.counted === null) return { none: `no figure of it in version ${number}` };
    return { version: number, counted: result.counted, ...(result.rows === null ? {} : { rows: result.rows }) };
  };
}
