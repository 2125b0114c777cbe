import { describe, expect, it } from '@jest/globals';

import { signNote, toSigner } from '../kernel/signed-note.js';
import { type ManifestTable, type MarkerRow, openMarker, toManifest, toMarker, toMarkerRow, toMarkerText } from './marker.js';
import type { Plan } from './plan.js';
import type { Receipt } from './ports.js';

const signer = toSigner('log.example', new Uint8Array(32).fill(1));
const other = toSigner('log.example', new Uint8Array(32).fill(2));
const plan = {
  environment: 'dev',
  facts: { retentionDays: 30 },
  tables: [{ schema: 'shop', name: 'customer', columns: [{ name: 'id' }, { name: 'email' }] }],
} as unknown as Plan;
const receipt: Receipt = { schema: 'shop', table: 'customer', rows: 3, bytes: 30, digest: 'ab'.repeat(16) };
const beside: ManifestTable = { schema: 'a', table: 'sandbox', rows: 1, digest: null, columns: null };
const version = { target: 'shop_dev', version: 2, runId: '0k7z3m1qa4v8x2yt', planDigest: 'sha256:p' };
const manifest = toManifest(plan, [receipt], [beside]);
const marker = toMarker({
  ...{ plan, version, systemIdentifier: '42', nonce: new Uint8Array(16), manifest },
  ...{ log: { origin: 'log.example', index: 17 }, madeAtMs: Date.UTC(2026, 0, 1) },
});
const row = toMarkerRow(marker, manifest, signNote(toMarkerText(marker), signer));
const open = (changes: Partial<MarkerRow>, keys = [signer.verifier]): unknown => {
  const opened = openMarker({ row: { ...row, ...changes } }, keys);
  return opened.state === 'broken' ? opened.part : opened.state === 'whole' ? opened.signer : opened.state;
};

describe('a marker', () => {
  it('says what it is, until when, and which rows it stands for', () => {
    expect(marker).toMatchObject({
      claim: 'masked copy, not production',
      ...{ target: 'shop_dev', version: 2, madeAt: '2026-01-01T00:00:00.000Z', expiresAt: '2026-01-31T00:00:00.000Z' },
      ...{ log: { origin: 'log.example', index: 17 }, manifest: expect.stringMatching(/^sha256:/) },
    });
    expect(manifest).toEqual([beside, { schema: 'shop', table: 'customer', rows: 3, digest: receipt.digest, columns: ['id', 'email'] }]);
    expect(openMarker({ row }, [signer.verifier])).toEqual({ state: 'whole', signer: 'checked', marker, manifest, definitions: null });
  });

  it('is whole and of an unknown signer without the key, and broken where a known key did not sign it', () => {
    expect(open({}, [])).toBe('unknown');
    expect(open({}, [other.verifier])).toBe('unknown');
    expect(open({ note: row.note.replace('"version":2', '"version":3') })).toBe('signature');
    expect(open({ note: 'no note' })).toBe('signature');
  });

  it.each([
    ['version', { version: 3 }],
    ['planDigest', { planDigest: 'sha256:q' }],
    ['logOrigin', { logOrigin: 'log.elsewhere' }],
    ['logIndex', { logIndex: 18 }],
    ['madeAt', { madeAt: '2026-01-02T00:00:00.000Z' }],
    ['expiresAt', { expiresAt: '2036-01-31T00:00:00.000Z' }],
    ['claim', { claim: 'production' }],
    ['manifest', { manifest: [] }],
    ['manifest', { manifest: [{ ...beside, rows: 2 }, manifest[1]] as unknown as MarkerRow['manifest'] }],
  ] as const)('names %s when that is not what was signed', (part, changes) => {
    expect(open(changes)).toBe(part);
    // Whoever has no key sees it too: what stands beside the note has to be what the note says.
    expect(open(changes, [])).toBe(part);
  });

  it('is nothing else that the same key signed: no checkpoint, no other text, no second form of the same', () => {
    for (const text of ['log.example\n17\nAAAA\n', toMarkerText(marker).replace('v1', 'v2'), toMarkerText(marker).replace('{', '{ ')])
      expect(open({ note: signNote(text, signer) })).toBe('note');
    expect(open({ note: signNote(toMarkerText({ ...marker, expiresAt: 'never' }), signer) })).toBe('note');
  });

  it('is missing where there is no schema, and broken where there is another of its name', () => {
    expect(openMarker({ row: null, schema: 'absent' }, [])).toEqual({ state: 'missing' });
    expect(openMarker({ row: null, schema: 'other' }, [])).toEqual({ state: 'broken', part: 'schema' });
  });
});
