// The figure that plan, gate and summary show for `redact` is what the code does.
import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';

import { measure } from '../../bench/redaction.js';
import { makeCorpus } from '../../bench/redaction-corpus.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { redactRecall } from '../../src/pipeline/best-effort.js';

it('finds as much as the committed figure says, measured anew on a fifth of the corpus', () => {
  const { recall, precision } = measure(makeCorpus(4_000));
  expect(Math.abs(recall * 100 - redactRecall.percent)).toBeLessThan(2.5);
  expect(Math.abs(precision * 100 - redactRecall.precisionPercent)).toBeLessThan(2.5);
});

it('measures what it should: labels lie on what they name, and a finder of nothing finds nothing', () => {
  const sentences = makeCorpus(400);
  expect(new Set(sentences.map(({ language }) => language)).size).toBe(8);
  expect(sentences.filter(({ labels }) => labels.length > 0).length).toBeGreaterThan(300);
  for (const { text, labels } of sentences)
    for (const { label, start, end } of labels)
      if (label === 'card') expect(text.slice(start, end)).toMatch(/^\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}$/);
  const hidden = sentences.map((one) => ({ ...one, text: '.'.repeat(one.text.length).replace(/^./, 'x'), known: [] }));
  expect(measure(hidden.map((one) => ({ ...one, text: 'x'.repeat(one.text.length) }))).recall).toBe(0);
});

it('stands in the document with its date and its command', () => {
  const text = readFileSync(packageFile('docs', 'redact.md'), 'utf8');
  for (const said of [
    `${redactRecall.percent} %`,
    `${redactRecall.precisionPercent} %`,
    redactRecall.corpus,
    redactRecall.measuredOn,
    'node dist/bench/redaction.js',
  ])
    expect(text).toContain(said);
});
