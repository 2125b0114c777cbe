// What `bauta policy` writes with --json: of test, build, explain or diff.
import { type Schema, count, flag, list, object, oneOf, orNull, text } from './schema-words.js';

const question = oneOf('provision', 'deploy');
const rules = object({ name: oneOf('bauta', 'user'), revision: text('of them'), digest: text('of what is compiled, or of the bundle') });
const place = { file: text('path'), line: count('in it') };
const cause = object(
  { member: text('input.… or data.…'), value: {} },
  { instead: { description: 'the nearest value that takes the reason away' } },
);
const reason = object({
  ...{
    code: text('see docs/policies.md'),
    message: text('what'),
    hint: text('what to do'),
    controlIds: list(text('a control'), 'that it serves'),
  },
  by: oneOf('bauta', 'user'),
  rule: orNull(object({ ...place, title: orNull(text('of the rule')), severity: orNull(text('of the rule')) })),
  restsOn: list(cause, 'members without which the reason is gone; first those of which another value is known'),
  partly: flag('not every member was tried'),
});
const side = object({
  allow: { type: ['boolean', 'null'], description: 'null: it could not be decided, which is a no' },
  codes: list(text('see docs/policies.md'), 'of every reason'),
});
const change = object({
  ...{ id: text('of the decision, or the file'), question, before: side, after: side },
  ...{ added: list(text('CODE: message'), 'reasons'), removed: list(text('CODE: message'), 'reasons') },
});

export function toPolicySchemas({ findings, error }: Readonly<Record<'findings' | 'error', Schema>>): Readonly<Record<'policy', Schema>> {
  const test = object({ name: text('package and rule'), ...place, passed: flag('it did') });
  const bundle = object({
    ...{
      file: text('where it is'),
      revision: text('as decisions call it'),
      digest: text('of the archive'),
      bytes: count('of the archive'),
    },
    ...{
      entrypoints: list(text('a rule'), 'at which it is asked'),
      signed: flag('with the key that was given'),
      opa: text('version of the program'),
    },
  });
  const policy = object(
    { findings },
    {
      ...{ passed: count('tests'), failed: count('tests'), tests: list(test, 'in the order of opa test') },
      bundle,
      decision: orNull(text('of the record; null: it was never taken')),
      ...{ question, allow: flag('these rules have nothing against it') },
      sameRules: { type: ['boolean', 'null'], description: 'it was decided by these; null: it was never decided' },
      ...{ rules: list(rules, 'that were asked'), reasons: list(reason, 'of each') },
      ...{ before: rules, after: rules, asked: count('questions'), notAsked: count('of them: neither has a rule') },
      changes: list(change, 'decisions that would be others'),
      error,
    },
  );
  return { policy };
}
