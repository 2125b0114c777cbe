import { expect, it } from '@jest/globals';

import type { Event } from './event.js';
import { findHeld, findNeeds, toKeyUse } from './key-use.js';
import type { KeyHierarchy } from './ports.js';

const now = Date.parse('2026-11-21T12:00:00.000Z');
const of = (purpose: KeyHierarchy['purpose'], environment = 'dev'): KeyHierarchy => ({ purpose, workspace: 'default', environment });
let runs = 0;
const published = (data: object): Event => ({
  ...{ runId: `r${++runs}`, stage: 'deliver', type: 'dataset.published.done', at: new Date(now + runs * 1000).toISOString() },
  data: { pipeline: 'p', environment: 'dev', server: '1', target: 't', version: runs, ...data },
});
const first = published({ key: { environment: 'dev', version: 1 }, tokenKey: { environment: 'dev', version: 4 } });
const joined = published({ environment: 'ci', target: 'u', key: { environment: 'dev', version: 1 } });
const second = published({ key: { environment: 'dev', version: 2 } });
const archive: Event = { ...second, type: 'archive.published', data: { version: 3, keyVersion: 7 } };
const old = published({});
const events = [first, joined, second, archive, old];

it('counts what each hierarchy had a part in: masking keys of who joins, tokens and archives by keys of their own', () => {
  expect(toKeyUse(events, of('masking')).map(({ version, environment, datasets }) => [version, environment, datasets])).toEqual([
    [1, 'dev', [1]],
    [1, 'ci', [2]],
    [2, 'dev', [3]],
  ]);
  expect(toKeyUse(events, of('token'))).toMatchObject([{ version: 4, environment: 'dev', datasets: [1] }]);
  expect(toKeyUse(events, of('transport'))).toMatchObject([{ version: 7, environment: 'dev', datasets: [3] }]);
  expect(toKeyUse(events, of('masking', 'ci'))).toEqual([]);
});

it('needs a version only while the last copy of a pipeline keeps it', () => {
  const keeping = published({ key: { environment: 'dev', version: 1, until: '2026-11-21' } });
  const after = published({ key: { environment: 'dev', version: 2 } });
  expect(findNeeds(toKeyUse([keeping], of('masking')), 1, now)).toMatchObject([{ version: 1, pipeline: 'p', until: '2026-11-21' }]);
  expect(findNeeds(toKeyUse([keeping], of('masking')), 1, now + 86_400_000)).toEqual([]);
  expect(findNeeds(toKeyUse([keeping, after], of('masking')), 1, now)).toEqual([]);
});

it('finds a hold on what one of the versions made, and on nothing else', () => {
  const hold = { server: '1', target: 't', run: first.runId, until: '2027-01-01T00:00:00.000Z', placedAt: '' };
  expect(findHeld(events, of('masking'), 1, [hold])).toEqual(hold);
  expect(findHeld(events, of('token'), 4, [hold])).toEqual(hold);
  expect(findHeld(events, of('token'), 3, [hold])).toBeUndefined();
  expect(findHeld(events, of('transport'), 9, [hold])).toBeUndefined();
  expect(findHeld(events, of('masking'), 1, [{ ...hold, server: '2' }])).toBeUndefined();
});
