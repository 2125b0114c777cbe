// The short form: `node dist-test/test/soak/event-backfill.js` publishes a million.
import { expect, it } from '@jest/globals';

import { findKafka } from '../support/kafka.js';
import { backfill } from './event-backfill.js';

const jars = findKafka();
(jars ? it : it.skip)(
  'publishes a log from its first entry on without holding it in memory',
  async () => {
    const { entries, peakBytes, wrong, arrived } = await backfill(jars ?? '', 20_000);
    // And the entry with which the log begins.
    expect({ wrong, arrived }).toEqual({ wrong: 0, arrived: entries + 1 });
    expect(peakBytes).toBeLessThan(300_000_000);
  },
  120_000,
);
