// DESIGN §7: names, sizes, shape.
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

import { expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { stages } from '../../src/pipeline/stages.js';

const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: packageFile('.'), encoding: 'utf8' })
  .stdout.split('\n')
  .filter(Boolean);
const sources = listed.filter((path) => /^src\/.*\.ts$/.test(path) && !path.endsWith('.spec.ts'));
const textOf = (path: string): string => readFileSync(packageFile(path), 'utf8');
const lines = (path: string): number => textOf(path).split('\n').length - 1;

it('lists the sources', () => expect(sources.length).toBeGreaterThan(30));

it('keeps files small: median at most 120 lines, 95 % at most 350, none over 500', () => {
  // messages.ts is a table of codes, one entry a paragraph: data in the shape of code.
  const sizes = sources
    .filter((path) => path !== 'src/kernel/messages.ts')
    .map((path) => ({ path, lines: lines(path) }))
    .sort((a, b) => a.lines - b.lines);
  expect(sizes[Math.floor(sizes.length / 2)]?.lines).toBeLessThanOrEqual(120);
  expect(sizes[Math.floor(sizes.length * 0.95)]?.lines).toBeLessThanOrEqual(350);
  expect(sizes.filter((size) => size.lines > 500)).toEqual([]);
});

it('names no file or folder with a word that says nothing', () => {
  const empty =
    /(^|\/)(utils?|helpers?|common|shared|misc|base|core|lib|manager|handler|processor|types|interfaces|constants|index)(\/|\.|$)/;
  expect(listed.filter((path) => !path.startsWith('node_modules') && empty.test(path))).toEqual([]);
});

it('has only the top level that the design lists', () => {
  const allowed =
    'package.json nest-cli.json docker-compose.yml src policies migrations test bench docs bootstrap.mjs examples deploy web README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE'.split(
      ' ',
    );
  const tools = /^(package-lock\.json|tsconfig.*\.json|jest\.config\.js|eslint\.config\.js|\..*)$/;
  const top = [...new Set(listed.map((path) => path.split('/')[0] ?? ''))];
  expect(top.filter((name) => !allowed.includes(name) && !tools.test(name))).toEqual([]);
});

it('uses no default export, no any, no Date.now and no Math.random in the data plane', () => {
  const wrong = sources
    .filter((path) => /^src\/(pipeline|threads)\//.test(path))
    .flatMap((path) => {
      const code = textOf(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      return [/\bexport default\b/, /:\s*any\b/, /\bDate\.now\(/, /\bMath\.random\(/, /\bprocess\.env\b/]
        .filter((pattern) => pattern.test(code))
        .map((pattern) => `${path}: ${pattern.source}`);
    });
  expect(wrong).toEqual([]);
});

it('tells the way of the data in one order everywhere: stages.ts, and the headings of the tour', () => {
  const headings = [...textOf('docs/tour.md').matchAll(/^## (\w+)$/gm)].map(([, word]) => word);
  expect(headings).toEqual([...stages]);
});

it('leaves nothing of a merge that did not go through, nor of what a formatter made of it', () => {
  // The marks themselves are not written here.
  const mark = new RegExp(`^ *(?:${'<'.repeat(7)} |\\\\?${'='.repeat(7)}$|${'> '.repeat(6)}>|${'>'.repeat(7)} )`, 'm');
  const texts = listed.filter((path) => /\.(md|ts|mjs|js|ya?ml|sql|rego|sh)$/.test(path));
  expect(texts.filter((path) => mark.test(textOf(path)))).toEqual([]);
});
