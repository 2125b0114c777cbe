import { expect, it } from '@jest/globals';

import { signNote, toSigner } from '../kernel/signed-note.js';
import { lookForDataDrift } from './data-drift.js';
import type { RowsReader } from './look-at-rows.js';
import { toMarker, toMarkerRow, toMarkerText } from './marker.js';
import type { Plan } from './plan.js';
import { TableDigest } from './verify/verify.js';

const signer = toSigner('ours', new Uint8Array(32).fill(1));
const nonce = new Uint8Array(16).fill(3);
const nowMs = Date.parse('2026-03-02T12:00:00.000Z');
const columns = ['id', 'note'];
/** Made up by a run: text that kept its structure. */
const published = ['1\twrite to zoe@kelvor-inc.com', '2\tnothing', '3\tor to bo@kelvor-inc.com'];
const added = ['4\tada@acme-industries.com'];

/** The raw values that are counted when these lines stand where `published` stood, cut as a socket may cut them. */
async function count(lines: readonly string[], cut: number): Promise<unknown> {
  const toBytes = (some: readonly string[]): Uint8Array => Buffer.from(some.map((line) => `${line}\n`).join(''));
  const digest = new TableDigest(nonce);
  digest.update(toBytes(published));
  const manifest = [{ schema: 'public', table: 'ticket', rows: digest.rows, digest: digest.digest(), columns }];
  const plan = { environment: 'dev', facts: { retentionDays: 1 } } as unknown as Plan;
  const version = { target: 'copy', version: 1, runId: 'r', planDigest: 'sha256:p' };
  const marker = toMarker({
    plan,
    version,
    systemIdentifier: '7',
    nonce,
    manifest,
    log: { origin: 'ours/2026', index: 1 },
    madeAtMs: nowMs,
  });
  const bytes = toBytes(lines);
  const reader: RowsReader = {
    marker: () => Promise.resolve({ row: toMarkerRow(marker, manifest, signNote(toMarkerText(marker), signer)) }),
    place: () => Promise.resolve({ database: 'copy', systemIdentifier: '7' }),
    tables: () => Promise.resolve([{ schema: 'public', name: 'ticket', columns, readable: true, generated: [] }]),
    definitions: () => Promise.resolve([]),
    count: () => Promise.resolve(lines.length),
    lines: async function* () {
      await Promise.resolve();
      for (let from = 0; from < bytes.length; from += cut) yield bytes.subarray(from, from + cut);
    },
  };
  const { tables } = await lookForDataDrift(reader, { verifiers: [signer.verifier], clock: { now: () => nowMs } });
  return tables.map(({ state, raw }) => [state, ...raw.map(({ column, kind, values }) => `${values} ${kind} in ${column}`)]);
}

it.each([1, 7, 28, 1000])(
  'counts what was added alone where the digest says of the rest that it is as published (cut after %s bytes)',
  async (cut) => {
    expect(await count([...published, ...added], cut)).toEqual([['rows differ', '1 email in note']]);
    expect(await count(published, cut)).toEqual([]);
  },
);

it.each([1, 7, 28, 1000])('counts everything where it does not (cut after %s bytes)', async (cut) => {
  expect(await count([...published.slice(1), '1\tada@acme-industries.com'], cut)).toEqual([['content differs', '2 email in note']]);
  expect(await count([...published.slice(0, 2), ...added, ...published.slice(2)], cut)).toEqual([['rows differ', '3 email in note']]);
  expect(await count(published.slice(0, 2), cut)).toEqual([['rows differ', '1 email in note']]);
});
