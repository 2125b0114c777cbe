// The short form of the soak: the long one is `node dist-test/test/soak/ten-minutes.js`, and what it gave stands in docs/soak.md.
import { expect, it } from '@jest/globals';

import { soak } from './soak.js';

it('loses, doubles and half publishes no scheduled run though any of six processes is killed at any time', async () => {
  const result = await soak({ seconds: 25, periodSeconds: 10, pauseMs: [800, 2500] });
  process.stderr.write(`${JSON.stringify(result)}\n`);
  expect(result).toMatchObject({
    ...{ lost: [], doubled: [], left: [], jobsLeft: 0, states: { published: result.runs } },
    log: { gaps: 0, waiting: 0, untold: [], verified: 0 },
  });
  expect(result.runs).toBeGreaterThanOrEqual(3);
  expect(result.kills.main + result.kills.worker).toBeGreaterThan(5);
}, 240_000);
