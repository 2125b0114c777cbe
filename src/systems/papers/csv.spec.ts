import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import { sampleReport } from '../../../test/support/sample-report.js';
import { type Cell, toCsv, writeCsv } from './csv.js';
import { toJson } from './json.js';

async function join(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

/** RFC 4180, section 2, as its grammar says; knows nothing of the writer. */
function parse(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === '"') {
      let value = '';
      for (at += 1; text[at] !== '"' || text[at + 1] === '"'; at += 1) {
        if (text[at] === undefined) throw new Error('the quotes do not close');
        if (text[at] === '"') at += 1;
        value += text[at];
      }
      at += 1;
      row.push(value);
    } else {
      const end = /[,\r]|$/.exec(text.slice(at))?.index ?? 0;
      row.push(end === 0 ? null : text.slice(at, at + end));
      at += end;
    }
    if (text[at] === ',') {
      at += 1;
      continue;
    }
    if (text.slice(at, at + 2) !== '\r\n') throw new Error('a line ends in CR LF');
    at += 2;
    rows.push(row);
    row = [];
  }
  return rows;
}

it('gives back every value as it is: quotes, lines, formulas, null beside empty', async () => {
  const cell = fc.oneof(
    fc.constant(null),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('', '=1+1', '+1', '-1', '@x', 'a,b', '"', 'a\r\nb', ' x', 'x '),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell, cell), { maxLength: 12 }), async (rows) => {
      expect(parse(await join(writeCsv(['a', 'b,c', 'd'], rows)))).toEqual([['a', 'b,c', 'd'], ...rows]);
    }),
  );
});

it('streams a population piece by piece and holds no more of it', async () => {
  let [made, most] = [0, 0];
  async function* rows(): AsyncGenerator<readonly Cell[]> {
    for (; made < 200_000; made++) {
      if (made % 10_000 === 0) await Promise.resolve();
      yield [made, 'a value of the row'];
    }
  }
  let seen = 0;
  for await (const piece of writeCsv(['number', 'text'], rows())) {
    seen += piece.split('\r\n').length - 1;
    most = Math.max(most, made - (seen - 1));
  }
  expect(seen).toBe(200_001);
  expect(most).toBeLessThan(2);
});

it('refuses a row that does not fit its columns instead of moving its values', async () => {
  await expect(join(writeCsv(['a', 'b'], [['1', '2'], ['3']]))).rejects.toThrow('row 2 has 1 cells for 2 columns');
});

it('writes a whole report as one table in which every value of every block stands', () => {
  const rows = parse(toCsv(sampleReport));
  expect(new Set(rows.map((row) => row.length))).toEqual(new Set([10]));
  const [head, ...lines] = rows;
  expect(head).toEqual(['section', 'section_title', 'block', 'kind', 'title', 'row', 'name', 'value', 'standing', 'log_entries']);
  const runs = lines.filter(([section]) => section === 'minimisation.runs');
  expect(runs).toHaveLength(64 * 7 + 1);
  expect(runs.at(-1)?.slice(6, 8)).toEqual(['of 10000 rows', 'The others stand in populations/runs.csv.']);
  expect(lines.find(([, , , , , , name]) => name === 'Data protection officer')?.slice(7)).toEqual([null, 'unknown', null]);
  expect(lines.filter(([, , , kind, title]) => kind === 'chart' && title?.startsWith('Columns covered')).map((row) => row[7])).toEqual(['41', '38', '22', '3', null, '0']); // prettier-ignore
});

it('writes canonical JSON that reads back as the document', () => {
  expect(JSON.parse(toJson(sampleReport))).toEqual(JSON.parse(JSON.stringify(sampleReport)));
  expect(toJson(sampleReport)).toBe(toJson(JSON.parse(JSON.stringify(sampleReport)) as typeof sampleReport));
  expect(toJson({ ...sampleReport, title: 'a\ud800' })).toContain('"title":"a\ufffd"');
});
