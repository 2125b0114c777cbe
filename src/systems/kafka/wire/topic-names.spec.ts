import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import {
  longestTopicName,
  toBulkTopic,
  toControlTopic,
  toEnvironmentPrefix,
  toReceiptsTopic,
  toRowsTopic,
  toVersionTopic,
} from './topic-names.js';

const shop = { workspace: 'local', environment: 'shop-dev' };
const name = fc.string({ unit: fc.constantFrom('a', 'B', '7', '.', '-', '_', 'x', '2', 'd', 'é', ' '), minLength: 1, maxLength: 70 });
/** Documents' names have up to 100 characters of these. */
const documentName = fc.string({ unit: fc.constantFrom('a', '7', '.', '-', '_', '2', 'd', 'x'), minLength: 1, maxLength: 100 });
const place = fc.record({ workspace: documentName, environment: documentName });

describe('topic names', () => {
  it('are readable where names are plain', () => {
    expect(toControlTopic(shop)).toBe('bauta.local.shop--dev.control');
    expect(toReceiptsTopic({ ...shop, prefix: 'masked' })).toBe('masked.local.shop--dev.receipts');
    expect(toBulkTopic(shop, '0k7z3m1qa4v8x2yt')).toBe('bauta.local.shop--dev.bulk.0k7z3m1qa4v8x2yt');
    expect(toRowsTopic(shop, 'public', 'order_items')).toBe('bauta.local.shop--dev.rows.public.order_items');
    expect(toVersionTopic(shop, '0k7z3m1qa4v8x2yt', 'sales-eu', 'Größe')).toBe(
      'bauta.local.shop--dev.versions.0k7z3m1qa4v8x2yt.sales--eu.Gr-c3-b6-c3-9fe',
    );
  });

  it('are legal and fit for any names that a schema may have', () => {
    fc.assert(
      fc.property(place, name, name, (at, schema, table) => {
        for (const topic of [toControlTopic(at), toRowsTopic(at, schema, table)]) {
          expect(topic).toMatch(/^[A-Za-z0-9._-]+$/);
          expect(topic.length).toBeLessThanOrEqual(longestTopicName);
        }
      }),
    );
  });

  it('are never the same for two things, not even where Kafka takes a dot for an underscore', () => {
    const all = fc
      .tuple(place, name, name)
      .chain(([at, schema, table]) =>
        fc.constantFrom(
          [JSON.stringify(['rows', at, schema, table]), toRowsTopic(at, schema, table)] as const,
          [JSON.stringify(['control', at]), toControlTopic(at)] as const,
        ),
      );
    const fold = (topic: string): string => topic.replaceAll('.', '_');
    fc.assert(
      fc.property(all, all, ([thing, topic], [other, second]) => {
        expect(fold(topic) === fold(second)).toBe(thing === other);
      }),
    );
    // The nearest there are.
    const near = [
      toRowsTopic(shop, 'public', 'order_items'),
      toRowsTopic(shop, 'public_order', 'items'),
      toRowsTopic(shop, 'public.order', 'items'),
      toRowsTopic(shop, 'public', 'order.items'),
      toRowsTopic(shop, 'public', 'order-items'),
      toRowsTopic(shop, 'public', 'order-2ditems'),
      toRowsTopic({ workspace: 'a_b', environment: 'c' }, 'public', 'x'),
      toRowsTopic({ workspace: 'a', environment: 'b_c' }, 'public', 'x'),
      toVersionTopic(shop, 'run', 'public', 'order_items'),
    ].map(fold);
    expect(new Set(near).size).toBe(near.length);
  });

  it('keep long names apart that begin alike', () => {
    const long = 'a'.repeat(99);
    expect(toControlTopic({ workspace: 'w', environment: `${long}b` })).not.toBe(
      toControlTopic({ workspace: 'w', environment: `${long}c` }),
    );
  });

  it('do not cut an escape in two', () => {
    fc.assert(
      fc.property(documentName, (environment) => {
        expect(toEnvironmentPrefix({ workspace: 'w', environment })).toMatch(
          /^bauta\.w\.([A-Za-z0-9]|--|-[0-9a-f]{2})*(-x[0-9a-f]{32})?\.$/,
        );
      }),
    );
  });

  it('refuse a prefix that leaves no room', () => {
    expect(() => toControlTopic({ ...shop, prefix: 'p'.repeat(240) })).toThrow(expect.objectContaining({ code: 'TOPIC_NAME_LONG' }));
  });
});
