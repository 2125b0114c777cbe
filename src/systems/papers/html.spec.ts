import { createHash } from 'node:crypto';

import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';

import type { Block, ReportDocument } from '../../pipeline/report/report.js';
import { toHtml } from './html.js';
import { style } from './html-style.js';
import { palettes } from './palette.js';

const period = { from: '2026-07-01T00:00:00Z', to: '2026-09-30T22:00:00Z', zone: 'Europe/Berlin' };

/** A document that says `text` in every place that text can stand in. */
function toEverywhere(text: string): ReportDocument {
  const blocks: Block[] = [
    { kind: 'text', text },
    { kind: 'notice', tone: 'broken', text },
    { kind: 'fields', fields: [{ label: text, value: text, standing: 'declared', entries: [3, 1, 2] }] },
    { kind: 'table', title: text, columns: (['text', 'number', 'time', 'id', 'conclusion', 'standing'] as const).map((kind) => ({ title: text, kind })), rows: [[text, text, text, text, text, text]], rest: text }, // prettier-ignore
    { kind: 'table', columns: [{ title: text, kind: 'text' }], rows: [] },
    ...(['bars', 'stacked', 'lines'] as const).map((shape): Block => ({ kind: 'chart', shape, title: text, unit: text, labels: [text, text], series: [{ name: text, values: [1, null] }, { name: text, values: [2, 3] }] })), // prettier-ignore
  ];
  const section = { id: text, title: text, blocks };
  return {
    report: text,
    title: text,
    subtitle: text,
    period,
    running: text,
    front: [{ kind: 'text', text }],
    sections: [{ ...section, sections: [section] }],
  };
}

/** Every tag and attribute of a page, read by a strict XML parser after void elements are closed. */
function read(html: string): { tags: string[]; attributes: string[]; text: string } {
  const found = { tags: [] as string[], attributes: [] as string[], text: '' };
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => void (found.tags.push(name), found.attributes.push(...Object.keys(attributes))));
  parser.on('text', (text) => void (found.text += text));
  parser.on('error', (error) => {
    throw error;
  });
  parser.write(html.replace('<!doctype html>\n', '').replace(/<(meta|br)([^>]*)>/g, '<$1$2/>')).close();
  return found;
}

it('lets no text become markup, wherever it stands', () => {
  const plain = read(toHtml(toEverywhere('plain')));
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('</style><script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onload='x", '<!--', ']]>', '&lt;&#x3c;', '\u202egnp.exe', '\ud800', '${x}'), // prettier-ignore
  );
  fc.assert(
    fc.property(hostile, (text) => {
      const page = toHtml(toEverywhere(`a${text}b`));
      const { tags, attributes } = read(page);
      // Paragraphs and lines are what text may make, and nothing else.
      const isOfText = (tag: string): boolean => tag === 'p' || tag === 'br';
      expect(tags.filter((tag) => !isOfText(tag)).filter((tag) => tag !== 'rect')).toEqual(
        plain.tags.filter((tag) => !isOfText(tag)).filter((tag) => tag !== 'rect'),
      );
      expect([...new Set(attributes)].sort()).toEqual([...new Set(plain.attributes)].sort());
    }),
    { numRuns: 60 },
  );
});

it('shows what it was given: the text of a page is the text of the document', () => {
  const { text } = read(toHtml(toEverywhere('Ω <b>"x"</b> & \'y\' Ž')));
  expect(text.split('Ω <b>"x"</b> & \'y\' Ž').length).toBeGreaterThan(35);
});

it('names characters that hide or turn text around instead of letting them', () => {
  const page = toHtml(toEverywhere('photo\u202egnp.exe\u0007\ud800'));
  expect(page).toContain('photo[U+202E]gnp.exe[U+0007]\ufffd');
  expect(page).not.toMatch(/[\u202e\u0007]/);
});

it('asks nothing of anybody: no script, no address, and a policy that allows its own style only', () => {
  const page = toHtml(toEverywhere('plain'));
  expect(page).not.toMatch(/<script|<img|<link|<iframe|<form|<object| src=| style=| on\w+=|url\(|@import|https?:/i);
  const digest = createHash('sha256').update(/<style>([\s\S]*)<\/style>/.exec(page)?.[1] ?? '').digest('base64'); // prettier-ignore
  expect(page).toContain(`content="default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'"`);
  expect([...page.matchAll(/ href="([^"]*)"/g)].every(([, to]) => to?.startsWith('#'))).toBe(true);
});

it('gives each id once, and leads nowhere that is not on the page', () => {
  const page = toHtml(toEverywhere('the same'));
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id ?? '');
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, to = ''] of page.matchAll(/ href="#([^"]*)"/g)) expect(ids).toContain(decodeURIComponent(to));
  for (const [, names = ''] of page.matchAll(/ aria-labelledby="([^"]*)"/g)) {
    expect([names, ids.includes(names) || names.split(' ').every((name) => ids.includes(name))]).toEqual([names, true]);
  }
});

it('says to who cannot see it what a chart, a table and a mark say', () => {
  const page = toHtml(toEverywhere('plain'));
  const { tags } = read(page);
  for (const landmark of ['header', 'nav', 'main', 'footer']) expect(tags.filter((tag) => tag === landmark)).toHaveLength(1);
  expect(tags.filter((tag) => tag === 'svg')).toHaveLength(6);
  expect(page.match(/<svg [^>]*role="img" aria-labelledby="[^"]+"><title [^>]*>plain<\/title><desc [^>]*>[^<]+<\/desc>/g)).toHaveLength(6);
  expect(page.match(/<th(?! scope="(col|row)")[ >]/g)).toBeNull();
  expect(page).toContain('<i aria-hidden="true">◐</i>declared');
  expect(page).toContain('log 1–3');
});

it('keeps the contrast of WCAG 2.2 AA, light and dark', () => {
  const luminance = (hex = ''): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const part = parseInt(hex.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (a?: string, b?: string): number => {
    const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  for (const colours of Object.values<Readonly<Record<string, string>>>(palettes)) {
    for (const text of ['text', 'muted', 'link', 'good', 'bad', 'open'])
      expect([text, contrast(colours[text], colours['page']) >= 4.5]).toEqual([text, true]);
    for (const ground of ['soft', 'warn', 'broken'])
      expect([ground, contrast(colours['text'], colours[ground]) >= 4.5]).toEqual([ground, true]);
    expect(contrast(colours['bad'], colours['broken'])).toBeGreaterThanOrEqual(4.5);
    for (const ink of ['s1', 's2', 's3', 's4', 's5', 's6', 'alert', 'rest'])
      expect([ink, contrast(colours[ink], colours['page']) >= 3]).toEqual([ink, true]);
  }
  expect(style).toContain('@media print');
});

it('shows times in the zone that the document names, and says of what is empty that it is', () => {
  const page = toHtml({
    ...toEverywhere('plain'),
    front: [{ kind: 'notice', tone: 'warning', text: 'Rewritten before 2026-09-30T21:59:58.000Z, or on 2026-09-30.' }],
    sections: [
      { id: 'a', title: 'A', blocks: [{ kind: 'table', columns: [{ title: 'At', kind: 'time' }, { title: 'N', kind: 'number' }], rows: [['2026-10-25T00:30:00Z', 1234567], ['2026-10-25T01:30:00Z', null], ['never', 0.5]] }] }, // prettier-ignore
      { id: 'b', title: 'B', blocks: [] },
      { id: 'c', title: 'C', blocks: [{ kind: 'table', columns: [{ title: 'X', kind: 'text' }], rows: [] }, { kind: 'chart', shape: 'bars', title: 'T', unit: '', labels: [], series: [] }] }, // prettier-ignore
    ],
  });
  expect(page).toContain('<span>2026-10-25 02:30:00</span> <span>+02:00</span>');
  expect(page).toContain('<span>2026-10-25 02:30:00</span> <span>+01:00</span>');
  expect(page).toContain('Rewritten before 2026-09-30 23:59:58 +02:00, or on 2026-09-30.');
  expect(page).toContain('<span>never</span>');
  expect(page).toContain('>1,234,567<');
  expect(page).toContain('number none">–<');
  for (const said of ['Nothing to report in this section.', 'None in this period.', 'Nothing is known of this in the period.'])
    expect(page).toContain(said);
});

it('writes the same bytes twice', () => expect(toHtml(toEverywhere('x'))).toBe(toHtml(toEverywhere('x'))));
