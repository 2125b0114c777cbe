import { expect, it } from '@jest/globals';

import {
  formatSignerKey,
  formatVerifierKey,
  openNote,
  parseNote,
  parseSignerKey,
  parseVerifierKey,
  signNote,
  toSigner,
  toVerifier,
} from './signed-note.js';

// The example of https://c2sp.org/signed-note.
const exampleKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const exampleNote =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
const example = parseVerifierKey(exampleKey)!;

it('opens the signed-note example of C2SP with the key that goes with it', () => {
  expect(openNote(exampleNote, [example])).toEqual({ text: 'This is an example message.\n', signedBy: [example] });
  expect(formatVerifierKey(example)).toBe(exampleKey);
});

it('opens what it signed, and gives both keys back from their texts', () => {
  const signer = toSigner('bauta.example/log');
  const note = signNote('origin\n\n3\n', signer);
  const verifier = parseVerifierKey(formatVerifierKey(signer.verifier))!;
  expect(openNote(note, [verifier])).toMatchObject({ text: 'origin\n\n3\n' });
  expect(signNote('origin\n\n3\n', parseSignerKey(formatSignerKey(signer))!)).toBe(note);
  expect(toSigner('a', new Uint8Array(32)).verifier).toEqual(toSigner('a', new Uint8Array(32)).verifier);
});

it('refuses a note when one bit of its text or signature is another', () => {
  const bytes = Buffer.from(exampleNote, 'utf8');
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes);
    flipped[at] = flipped[at]! ^ 1;
    expect([at, openNote(flipped.toString('utf8'), [example]).problem]).toEqual([at, expect.any(String)]);
  }
});

it('passes over lines of unknown keys, and refuses the note when a known key has not signed what it is said to have', () => {
  const [mine, other] = [toSigner('mine'), toSigner('other')];
  const note = signNote('text\n', mine);
  const line = signNote('text\n', other).split('\n').at(-2)!;
  expect(openNote(`${note}${line}\n`, [mine.verifier])).toMatchObject({ signedBy: [mine.verifier] });
  expect(openNote(note, [other.verifier])).toEqual({ problem: 'unsigned' });
  const elsewhere = signNote('another text\n', other).split('\n').at(-2)!;
  expect(openNote(`${note}${elsewhere}\n`, [mine.verifier, other.verifier])).toEqual({ problem: 'forged' });
  // The same key under another name is another key.
  expect(openNote(note, [toVerifier('mine2', mine.verifier.publicKey)])).toEqual({ problem: 'unsigned' });
});

it.each([
  ['no blank line', 'text\n— a AAAAAAAA\n'],
  ['no end', exampleNote.slice(0, -1)],
  ['a carriage return', exampleNote.replace('.\n', '.\r\n')],
  ['a hyphen for the dash', exampleNote.replace('—', '-')],
  ['a second text after the signature', `${exampleNote}more\n`],
  ['base64 without its end', exampleNote.replace('=\n', '\n')],
  ['no signature', 'text\n\n'],
  ['too many signatures', `text\n\n${'— a AAAAAAAA\n'.repeat(101)}`],
])('takes a text with %s for no note', (_, note) => {
  expect(parseNote(note)).toBeUndefined();
  expect(openNote(note, [example])).toEqual({ problem: 'malformed' });
});

it.each([
  ['another hash', exampleKey.replace('530d903a', '530d903b')],
  ['another type', exampleKey.replace('+Aeky', '+Buky')],
  ['a key cut short', exampleKey.slice(0, -4)],
  ['a name with a space', exampleKey.replace('example.com', 'example com')],
  ['nothing at all', ''],
])('takes a text with %s for no verifier key', (_, text) => expect(parseVerifierKey(text)).toBeUndefined());

it('signs no text that is not the text of a note, in no name that cannot be one', () => {
  const signer = toSigner('a');
  for (const text of ['no end', 'a\tb\n', '\ud800\n']) expect(() => signNote(text, signer)).toThrow(TypeError);
  for (const name of ['', 'a b', 'a+b', 'a\u00a0b']) expect(() => toSigner(name)).toThrow(TypeError);
});
