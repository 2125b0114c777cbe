import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import {
  cosign,
  formatCosignerKey,
  formatWitnessKey,
  parseCosignerKey,
  parseWitnessKey,
  readCosignatures,
  toCosigner,
} from './cosignature.js';
import { formatVerifierKey, openNote, parseVerifierKey, signNote, toSigner } from './signed-note.js';

const cosigner = toCosigner('witness.example/auditor', new Uint8Array(32).fill(7));
const log = toSigner('log.example', new Uint8Array(32).fill(3));
const text = 'log.example/2026\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n';
const note = signNote(text, log);

it('reads a cosignature beside the signature of the log, with its time, and leaves the log readable', () => {
  const both = note + cosign(text, cosigner, 1_763_712_000);
  expect(readCosignatures(both, [cosigner.witness])).toEqual([{ witness: cosigner.witness, seconds: 1_763_712_000 }]);
  expect(openNote(both, [log.verifier])).toMatchObject({ text });
  expect(readCosignatures(note, [cosigner.witness])).toEqual([]);
  expect(readCosignatures('no note', [cosigner.witness])).toBe('malformed');
});

it('gives both keys back from their texts, and takes none of another type', () => {
  expect(parseWitnessKey(formatWitnessKey(cosigner.witness))).toEqual(cosigner.witness);
  const again = parseCosignerKey(formatCosignerKey(cosigner))!;
  expect(cosign(text, again, 5)).toBe(cosign(text, cosigner, 5));
  expect(parseWitnessKey(formatVerifierKey(log.verifier))).toBeUndefined();
  expect(parseVerifierKey(formatWitnessKey(cosigner.witness))).toBeUndefined();
});

it('is never taken for a signature of a log, nor the other way round, though name and key are the same', () => {
  const seed = new Uint8Array(32).fill(9);
  const [asLog, asWitness] = [toSigner('one.example', seed), toCosigner('one.example', seed)];
  const signed = signNote(text, asLog);
  expect(readCosignatures(signed, [asWitness.witness])).toEqual([]);
  expect(openNote(`${text}\n${cosign(text, asWitness, 1)}`, [asLog.verifier])).toEqual({ problem: 'unsigned' });
});

it('says nothing about another text, another time or another witness', () => {
  fc.assert(
    fc.property(fc.nat({ max: text.length + 100 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
      const bytes = Buffer.from(`${text}\n${cosign(text, cosigner, 1_763_712_000)}`, 'utf8');
      bytes[at % bytes.length]! ^= 1 << bit;
      const read = readCosignatures(bytes.toString('utf8'), [cosigner.witness]);
      expect(typeof read === 'string' || read.length === 0).toBe(true);
    }),
  );
  expect(readCosignatures(`${text}\n${cosign(text, cosigner, 0)}`, [cosigner.witness])).toBe('forged');
});
