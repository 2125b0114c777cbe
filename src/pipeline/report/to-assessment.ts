// What was collected, as an assessment of a framework's controls: what OSCAL is written from.
import type { AssessedCheck, AssessedControl, AssessedException, Assessment, Population } from './assessment.js';
import { toControlResults, toLogOutcome } from './blocks.js';
import type { CheckResult, Collected, Deviation } from './collect.js';
import type { ReportContext } from './context.js';
import { type Control, type ReportName, frameworkOf } from './frameworks/frameworks.js';

/** `fileOf`: where a population stands as a file, with the digest of its bytes; undefined where it stands nowhere. */
export function toAssessment(
  name: ReportName,
  { workspace, product, log }: ReportContext,
  collected: Collected,
  fileOf: (population: string) => Population['file'] | undefined,
): Assessment {
  const framework = frameworkOf(name);
  const { title, edition } = framework;
  const logCheck = toLogCheck(collected, log.state);
  const checks = new Map([
    [logCheck.id, logCheck],
    ...[...collected.checks].map(([id, found]) => [id, toCheck(found, collected, fileOf)] as const),
  ]);
  const controls = toControlResults(framework, collected, log.state).map(({ control, conclusion }): AssessedControl => ({
    ...{ id: control.id, title: control.about, statement: toStatement(control, checks), conclusion },
    checks: control.checks.flatMap((id) => checks.get(id) ?? []),
  }));
  const { from, to } = collected.period;
  return {
    ...{ framework: { id: name, title, version: edition }, workspace, period: { from, to }, software: product, controls },
    checkpoint: { origin: log.checkpoint.origin, size: log.checkpoint.size, root: log.checkpoint.root },
    scope:
      'What one workspace’s log tells of one period, seen from who operates Bauta. Runs made with the command line outside this service are not in the population.',
  };
}

function toStatement({ checks, beyond }: Control, known: ReadonlyMap<string, AssessedCheck>): string {
  const titles = checks.flatMap((id) => known.get(id)?.title ?? []);
  const said = titles.length === 0 ? 'Nothing in the log speaks of it.' : `The log tells of it by these checks: ${titles.join('; ')}.`;
  return beyond === undefined ? said : `${said} Not reached: ${beyond}.`;
}

function toCheck(
  { check, conclusion, tested, counts, deviations }: CheckResult,
  { populations }: Collected,
  fileOf: (name: string) => Population['file'] | undefined,
): AssessedCheck {
  const file = fileOf(check.population);
  const { id, title, attribute } = check;
  return {
    ...{ id, title, attribute, conclusion, tested },
    population: { name: check.population, rows: populations.get(check.population)?.rows ?? 0, ...(file ? { file } : {}) },
    exceptionCount: counts.exception,
    exceptions: deviations.filter((one) => one.conclusion === 'exception').map((one) => toException(one, attribute)),
  };
}

/** Cause and approval stand where the log has them; else people write them down. One that was agreed to without an end is open, as OSCAL has it. */
const toException = ({ item, said: { cause, approvedBy, until } }: Deviation, attribute: string): AssessedException => ({
  ...{ item: item.entries.join(' '), what: `Not so: ${attribute}.`, cause, since: item.at },
  approved: approvedBy === null || until === null ? null : { by: approvedBy, until },
  entries: item.entries,
});

function toLogCheck(collected: Collected, state: ReportContext['log']['state']): AssessedCheck {
  const { id, title, conclusion, tested, exceptions } = toLogOutcome(collected, state);
  const attribute = 'every entry is what was signed with the log’s key';
  return {
    id,
    title,
    attribute,
    population: { name: 'log', rows: tested },
    conclusion,
    tested,
    exceptionCount: exceptions,
    exceptions: [],
  };
}
