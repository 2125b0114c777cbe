// node dist-test/test/support/mutants-of-a-million.js [NAME…]: 1,000,000 rows of each transform, honest and with 1,000 cells let through; a row of
// the table in docs/threat-model.md each.
import { writeSync } from 'node:fs';

import { transforms } from '../../src/pipeline/mask/mask.js';
import type { LawInputs } from '../laws/inputs/law-inputs.js';
import { copyOf, letThrough, lookAt, type Looked, toChance } from './mutants.js';

const rows = 1_000_000;
const names = process.argv.slice(2);

/** What was said of the column: codes of the findings, how much of each. */
function toText({ findings }: Looked): string {
  return findings.map(({ code, where }) => `${code} (${where.amount ?? ''})`).join(', ') || 'nothing';
}

for (const transform of transforms.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const { inputs } = (await import(`../laws/inputs/${transform.name}.js`)) as { inputs: LawInputs };
  const [each] = inputs.cases;
  if ((toChance(transform, each) ?? 1) > 0.01) continue;
  const copied = await copyOf(transform, each, rows, 'key 1', 42);
  const honest = await lookAt(copied);
  const mutant = await lookAt(letThrough(copied));
  writeSync(1, `| \`${transform.name}\` | ${honest.verdicts[0]?.verdict ?? ''} | ${toText(honest)} | ${toText(mutant)} |\n`);
}
