// How much of what is personal in free text `redact` finds (recall), and how much of what it finds is personal (precision), on made-up sentences.
// Usage: node dist/bench/redaction.js [--json]. The figure that plan, gate and summary show is committed in src/pipeline/best-effort.ts.
import { findPersonal } from '../src/pipeline/mask/redaction/find-personal.js';
import { type Label, makeCorpus, type Sentence } from './redaction-corpus.js';

export interface Measured {
  readonly sentences: number;
  /** Of all labelled stretches, those that were found whole. */
  readonly recall: number;
  /** Of all that was found, what lies on a labelled stretch. */
  readonly precision: number;
  readonly byLabel: Readonly<Partial<Record<Label, { readonly recall: number; readonly of: number }>>>;
}

export function measure(sentences: readonly Sentence[]): Measured {
  const labels = new Map<Label, { found: number; of: number }>();
  let [right, all] = [0, 0];
  for (const { text, labels: wanted, known } of sentences) {
    const found = findPersonal(
      text,
      known.map((original) => ({ original, masked: '*' })),
    );
    const covered = new Uint8Array(text.length);
    for (const { start, end } of found) covered.fill(1, start, end);
    for (const { label, start, end } of wanted) {
      const count = labels.get(label) ?? { found: 0, of: 0 };
      labels.set(label, count);
      count.of += 1;
      // Blanks and punctuation between two names tell nothing.
      if ([...text.slice(start, end)].every((one, i) => covered[start + i] === 1 || /[^\p{L}\p{N}]/u.test(one))) count.found += 1;
    }
    all += found.length;
    right += found.filter(({ start, end }) => wanted.some((one) => one.start < end && start < one.end)).length;
  }
  const sum = (of: 'found' | 'of'): number => [...labels.values()].reduce((total, count) => total + count[of], 0);
  const byLabel = Object.fromEntries(
    [...labels].sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, count]) => [label, { recall: count.found / count.of, of: count.of }]),
  );
  return { sentences: sentences.length, recall: sum('found') / sum('of'), precision: right / all, byLabel };
}

if (process.argv[1]?.endsWith('redaction.js') === true) {
  const measured = measure(makeCorpus(20_000));
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const lines = [
    `${measured.sentences} sentences: recall ${percent(measured.recall)}, precision ${percent(measured.precision)}`,
    ...Object.entries(measured.byLabel).map(([label, { recall, of }]) => `  ${label.padEnd(10)} ${percent(recall).padStart(7)} of ${of}`),
  ];
  process.stdout.write(`${process.argv.includes('--json') ? JSON.stringify(measured) : lines.join('\n')}\n`);
}
