// node dist-test/test/support/fill-vectors.js NAME…: fills `out` where a row of test/vectors/NAME.json has none. What is there, stays.
import { writeFileSync } from 'node:fs';
import { packageFile } from '../../src/kernel/package-root.js';
import { transforms } from '../../src/pipeline/mask/registry.js';
import { type VectorRow, type Vectors, loadVectors, toFilledRow } from './vectors.js';

for (const name of process.argv.slice(2)) {
  const filled = loadVectors(name).map((vectors): Vectors => {
    const transform = transforms.find((each) => each.name === vectors.transform);
    if (!transform) throw new Error(`no transform ${vectors.transform}`);
    const fill = (row: VectorRow): VectorRow => (row.out === undefined && !row.refuses ? toFilledRow(transform, vectors, row) : row);
    return { ...vectors, rows: vectors.rows.map(fill) };
  });
  writeFileSync(packageFile('test', 'vectors', `${name}.json`), toText(filled));
}

/** One row a line, so that a change is one line of a diff. */
function toText(all: readonly Vectors[]): string {
  const one = ({ rows, ...head }: Vectors): string => {
    const open = JSON.stringify(head).slice(0, -1);
    return `  ${open}, "rows": [\n${rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n')}\n  ]}`;
  };
  return `[\n${all.map(one).join(',\n')}\n]\n`;
}
