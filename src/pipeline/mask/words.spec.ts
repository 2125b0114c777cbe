import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { packageFile } from '../../kernel/package-root.js';
import { loadWords, toWordTable } from './words.js';

const folder = packageFile('src', 'pipeline', 'mask', 'words');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.txt'))
  .map((file) => file.slice(0, -'.txt'.length));

describe('the word tables', () => {
  it.each(names)('%s is sorted, has no word twice, and nothing that COPY escapes', (name) => {
    const lines = readFileSync(packageFile('src', 'pipeline', 'mask', 'words', `${name}.txt`));
    const words = new TextDecoder('utf-8', { fatal: true }).decode(lines).split('\n');
    expect(words.pop()).toBe('');
    expect(words).toEqual([...new Set(words)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    expect(words.filter((word) => word === '' || word !== word.normalize('NFC') || /[\p{Cc}\\]/u.test(word))).toEqual([]);
    const table = loadWords(name);
    const read = words.map((_, i) => Buffer.from(table.bytes.subarray(table.offsets[i], table.offsets[i + 1])).toString());
    expect([table.count, read]).toEqual([words.length, words]);
  });

  it('are large enough by default', () => {
    expect(loadWords('first-names').count).toBeGreaterThanOrEqual(1000);
    expect(loadWords('last-names').count).toBeGreaterThanOrEqual(2000);
  });

  it.each([
    ['', 'empty'],
    ['anna', 'without its last newline'],
    ['an\tna\n', 'with a tab'],
    ['a\\b\n', 'with a backslash'],
  ])('refuse %j: %s', (text) => expect(() => toWordTable(Buffer.from(text), 'x')).toThrow('word table x'));
});
