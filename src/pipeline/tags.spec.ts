// What a tag says of the law that it stands for: one list, which reports, measures and the gate go by.
import { expect, it } from '@jest/globals';

import { hasTagForm, isSensitive, isSpecial, tagClasses, tags, toSpecialCategory } from './tags.js';

const all = [...tags.keys()];

it('calls special what Art. 9(1) GDPR lists, each category by a tag of its own, and nothing else', () => {
  expect(all.filter(isSpecial).map((tag) => [tag, toSpecialCategory(tag)])).toEqual([
    ...[
      ['pii.biometric', 'biometric'],
      ['pii.special', null],
    ],
    ...['phi.note', 'phi.diagnosis', 'phi.medication', 'phi.measurement'].map((tag) => [tag, 'health']),
    ...['origin', 'politics', 'belief', 'union', 'genetic', 'health', 'orientation'].map((word) => [`special.${word}`, word]),
  ]);
});

it('calls sensitive what is special, and what nobody may learn of a person beside it', () => {
  expect(all.filter((tag) => isSensitive(tag) && !isSpecial(tag))).toEqual([
    ...['sensitive.criminal', 'sensitive.income', 'sensitive.credit', 'sensitive.conduct', 'sensitive.other'],
  ]);
  expect(all.filter((tag) => isSpecial(tag) && !isSensitive(tag))).toEqual([]);
});

it('has every tag in a class that targets and pools take', () => {
  expect([...new Set([...tags.values()].map((tag) => tag.class))].sort()).toEqual(['none', ...tagClasses].sort());
  expect(all.filter((tag) => !hasTagForm(tag))).toEqual([]);
  for (const text of ['anna.smith', 'specialist', 'sensitives.x', 'pii anna', '']) expect(hasTagForm(text)).toBe(false);
});
