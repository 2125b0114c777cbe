// What the log tells before and after: a change of a target, of keys or of the log itself, with what came of it. One item for each.
import type { Event } from '../../event.js';
import { FollowedReader } from './followed.js';
import { type Population, pick } from './population.js';

const subjects = [
  ...['staging', 'dataset.published', 'dataset.rolled-back', 'dataset.dropped', 'dataset.quarantined', 'clone.made', 'clone.dropped'],
  ...['key.rotated', 'key.destroyed', 'log.deleted', 'text.erased', 'person.erased'],
] as const;
const outcomes = ['done', 'failed', 'completed', 'undone'] as const;
const types = subjects.flatMap((subject) => ['intended', ...outcomes].map((word) => `${subject}.${word}`));

const columns = {
  change: 'what was to be changed',
  run: 'id of the run, or of the request',
  environment: 'of which environment',
  target: 'name of the target',
  outcome:
    'done or failed: as it was told at once; completed or undone: as the next process found it; empty: nothing says, as far as was read',
  code: 'why it failed',
  endedAt: 'when that was told',
};

const split = (type: string): readonly [subject: string, word: string] => {
  const at = type.lastIndexOf('.');
  return [type.slice(0, at), type.slice(at + 1)];
};
const keyOf = ({ type, runId }: Event): string => `${runId} ${split(type)[0]}`;

export const changesOfTheWorld: Population = {
  name: 'intents',
  title: 'Changes that the log tells before and after',
  query:
    'every entry ….intended, with the first entry ….done, ….failed, ….completed or ….undone of the same run after it, where the time of one of the two lies in the period',
  types,
  columns: Object.entries(columns).map(([name, means]) => ({ name, means })),
  open: (period) =>
    new FollowedReader(
      {
        names: Object.keys(columns),
        begins: (event) => (event.type.endsWith('.intended') ? keyOf(event) : undefined),
        goesOn: keyOf,
        take: (cells, event) => {
          const [subject, word] = split(event.type);
          if (word === 'intended') {
            Object.assign(cells, { change: subject, run: event.runId });
            for (const name of ['environment', 'target']) cells[name] = pick(event.data, name);
            return false;
          }
          Object.assign(cells, { outcome: word, code: pick(event.data, 'code'), endedAt: event.at });
          return true;
        },
      },
      period,
    ),
};
