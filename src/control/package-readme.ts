// The first page of a package, for who opens it without knowing what it is.
import { type Collected, frameworkOf } from '../pipeline/report/report.js';
import type { Asked } from './look-at-log.js';

export function toReadme({ report, period, workspace }: Asked, { populations, range, asOf }: Collected): string {
  const { title, edition } = frameworkOf(report);
  const lines = [...populations.values()].map(({ population, rows }) => `| ${population.name} | ${population.title} | ${rows} |`);
  return `# Evidence for an examination: workspace ${workspace}, ${period.from} to ${period.to}

This is evidence, put together from a transparency log, for an examination under: ${title}, ${edition}. It is no report of an examination: only a CPA firm issues a SOC 2 report.

- report.json, and report.* beside it: what a person reads first
- controls.csv, mappings.json: control, checks, population, result
- oscal/: the same results in OSCAL 1.2.1 (assessment results, component definition, and where there are exceptions a plan of action and milestones)
- populations/: everything of its kind in the period, with what was read (.query.txt) and counts (.meta.json)
- exceptions.csv: each item that was an exception or without evidence; cause (a commitment) and approver where a waiver, an approval or a break-glass says them, else for people to fill in
- populations/occurrences.csv: what was due against what took place
- policies/in-force.csv: revisions by the decisions that they made; the policies' texts are not in the log
- samples/: ${'25'} items of each population, chosen by a stated seed
- log/: the log in the layout of c2sp.org/tlog-tiles, from its beginning to the end that was read: also what happened before the period, because what was made before may end in it
- manifest.json: each file with its SHA-256; report-made.tlog-proof: that the log was told of this manifest
- witnessed.json: the newest checkpoint that witnesses had cosigned and those that were put elsewhere, each with the proof that it goes on from this log; policy.txt, where there is one: whose cosignatures page 1 counts
- verify.mjs, VERIFY.md: a check without network; it came with the package, so get one by another way, too

Read: entries ${range ? `${range.first} to ${range.last}` : 'none of the period'}, up to ${asOf}. People and texts are random ids and commitments. A value of a CSV file stands as it is: open it as text.

Runs made with the command line outside this service are not in the population. The log shows that nothing was changed afterwards; it does not show that what was logged is true, nor what was never logged.

| population | what it is | items |
| --- | --- | --- |
${lines.join('\n')}
`;
}
