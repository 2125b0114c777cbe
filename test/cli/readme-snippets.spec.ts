// What README.md and docs/operations.md tell people to type is typed here, line by line, in the order of the page; a line of no known kind fails.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { loadDocuments, readText } from '../../src/documents/documents.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { type Desk, openDesk, openShop } from '../support/command-line.js';

const pages = ['README.md', 'docs/operations.md'];
const textOf = (page: string): string => readFileSync(packageFile(...page.split('/')), 'utf8');
const blocks = (page: string, language: string): string[] =>
  [...textOf(page).matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(([, word]) => word === language).map(([, , block = '']) => block);

let desk: Desk;
/** What the last `run` of a page told. */
let told = '';

beforeAll(async () => {
  desk = await openDesk();
  await openShop(desk);
}, 120_000);
afterAll(() => desk.close());

/** What stands for a line of shell in here. Commands that take minutes or ask questions are looked at, the rest is run. */
async function type(line: string): Promise<void> {
  const words = line.replace(/\s+#.*$/, '').trim();
  const [, script] = /^npm (?:run )?(\w+)(?: -- .*)?$/.exec(words) ?? [];
  if (script !== undefined) {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    return expect([script, scripts[script]]).toEqual([script, expect.stringMatching(/^(exec )?node bootstrap\.mjs/)]);
  }
  const [, file = '', role] = /^psql "\$\w+" -f (deploy\/[\w-]+\.sql) -c '\\password (\w+)'$/.exec(words) ?? [];
  // The desk has run the file already, as an administrator, and has set the password.
  if (role !== undefined) return expect(textOf(file)).toMatch(new RegExp(`^CREATE ROLE ${role} LOGIN`, 'm'));
  if (/^export (SOURCE|TARGET)_URL=postgres:\/\/bauta_(source|target):…@[\w.]+\/\w+$/.test(words)) return;
  const [, rest] = /^node dist\/src\/cli\.js (.+)$/.exec(words) ?? [];
  if (rest === undefined) throw new Error(`nobody knows how to try this line: ${line}`);
  const [command = '', into] = rest.split(' > ');
  const outcome = await desk.bauta(
    (command.match(/"[^"]*"|\S+/g) ?? []).map((word) =>
      word
        .replaceAll('"', '')
        .replace(/^examples\/shop\//, `${desk.folder}/`)
        .replace(/^(\.bauta\/)?log\.pub$/, join(desk.folder, 'home', 'log.pub'))
        .replace('$NONCE', '00112233445566778899aabbccddeeff'),
    ),
    { source: 'production', target: 'shop_dev' },
  );
  if (into !== undefined) expect(outcome.stdout).not.toBe('');
  if (rest.startsWith('run ')) told = outcome.stderr;
  const [, code = '0'] = /#.*\bexit code (\d)/.exec(line) ?? [];
  expect([line, outcome.exitCode, outcome.exitCode === Number(code) ? '' : outcome.stderr]).toEqual([line, Number(code), '']);
}

describe.each(pages)('%s', (page) => {
  const lines = blocks(page, 'sh').flatMap((block) => block.split('\n').filter((line) => line.trim() !== ''));

  it('has commands to try', () => expect(lines.length).toBeGreaterThan(4));

  it.each(lines)('is right about: %s', type);
});

describe('README.md', () => {
  it('shows what a run prints, but for its numbers', () => {
    const shape = (text: string): string[] =>
      text
        .trim()
        .split('\n')
        .map((line) => line.replace(/provision-[0-9a-f]+/, 'provision-#').replace(/\d[\d,.]*/g, '#'))
        // The verdicts, a line per column, are shown in part.
        .filter((line) => !line.startsWith('copy ') && !line.startsWith('  '));
    const [shown = ''] = blocks('README.md', 'text');
    // What is measured depends on the keys.
    const known = (line: string): string => line.replace(/^privacy .*/, 'privacy');
    expect(shape(told).map(known)).toEqual(shape(shown).map(known));
  });

  it('shows documents that are valid, and the pipeline of the shop as it is', async () => {
    const shown = blocks('README.md', 'yaml');
    const kinds: string[] = [];
    for (const text of shown) {
      const path = join(desk.folder, 'shown.yaml');
      const read = (file: string) => (file === path ? Promise.resolve(text) : readText(file));
      const { findings } = await loadDocuments(path, read);
      expect(findings).toEqual([]);
      kinds.push(/^kind: (\w+)$/m.exec(text)?.[1] ?? '');
    }
    expect(kinds).toEqual(['Pipeline', 'Classification']);
    const shop = textOf('examples/shop/pipeline.yaml').replace(/^#.*\n/, '');
    expect(shown[0]).toBe(shop);
    expect(shop.trimEnd().split('\n').length).toBeLessThanOrEqual(25);
  });

  it('names files that are there', () => {
    const named = [...textOf('README.md').matchAll(/`((?:docs|examples|deploy)\/[\w./-]*[\w/])`/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(8);
    for (const path of named) expect(() => readFileSync(packageFile(...path.split('/').filter(Boolean)))).not.toThrow(/ENOENT/);
  });
});
