// Reports about a home with a real run: what they say of it, how commands end, and what a program of others makes of the same run's lineage.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';

import { breach } from '../../src/cli/breach.js';
import { reportBreach } from '../../src/cli/report-breach.js';
import type { ReportOptions } from '../../src/cli/report-log.js';
import { report, toAsked } from '../../src/cli/report.js';
import { makeReport } from '../../src/control/look-at-log.js';
import { paperFormats } from '../../src/control/render-report.js';
import { parseVerifierKey } from '../../src/kernel/signed-note.js';
import {
  type ReportDocument,
  type Section,
  type Table,
  lineageTriggers,
  lineageTypes,
  reportNames,
  toLineage,
} from '../../src/pipeline/report/report.js';
import { openLogFiles } from '../../src/systems/files/files.js';
import { findProgram } from '../support/program.js';
import { type SmallShop, startSmallShop } from '../support/small-shop.js';

const qedro = findProgram('qedro');
let shop: SmallShop;
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const period = { from: day(Date.now() - 86_400_000), to: day(Date.now() + 86_400_000) };
let made: ReportDocument;
const sectionOf = (sections: readonly Section[] | undefined, id: string): Section => {
  const found = sections?.find((one) => one.id === id) ?? sections?.flatMap((one) => (one.sections ?? []).filter((of) => of.id === id))[0];
  if (!found) throw new Error(`no section ${id}`);
  return found;
};
const fieldsOf = ({ blocks }: Section): Record<string, string | null> =>
  Object.fromEntries(blocks.flatMap((block) => (block.kind === 'fields' ? block.fields.map(({ label, value }) => [label, value]) : [])));
const tablesOf = ({ blocks }: Section): readonly Table[] => blocks.filter((block) => block.kind === 'table');

beforeAll(async () => {
  shop = await startSmallShop();
  const { code, stderr } = await shop.bauta(['run', '-f', shop.pipeline]);
  expect([stderr, code]).toEqual([expect.anything(), 0]);
  const asked = await toAsked('gdpr', { ...period, file: shop.pipeline });
  const verifier = parseVerifierKey(readFileSync(join(shop.home, 'log.pub'), 'utf8'));
  const { document, log } = await makeReport(openLogFiles(join(shop.home, 'log')), asked, verifier);
  expect(log.state).toBe('whole');
  made = document;
}, 60_000);
afterAll(() => shop.stop());

it('the record of processing names every tagged column with its transform and key, and where the data goes', () => {
  const { sections } = made;
  const [measures] = tablesOf(sectionOf(sections, 'measures'));
  const email = measures?.rows.find(([table, column]) => table === 'shop.customer' && column === 'email');
  expect(email).toEqual(['shop.customer', 'email', 'pii.email', 'email', 'value', 'pii.email', 'masking 1']);
  expect(measures?.rows.map(([, , tag]) => tag)).not.toContain('none');
  expect(measures?.rows.find(([, column]) => column === 'profile mail')?.[2]).toBe('pii.email');
  const fields = fieldsOf(sectionOf(sections, 'record-controller-1'));
  expect(fields['Region of the source (Art. 30(1)(e))']).toMatch(/^eu-central-1 \(entry /);
  expect(fields['Masking key']).toMatch(/^version 1 of dev, known again by its check value [0-9a-f]{32}$/);
  expect(fields['Categories of personal data (Art. 30(1)(c))']).toContain('date of birth; e-mail address; ');
  expect(fields['By tags, with the number of columns']).toMatch(/^pii\.date-of-birth \(1\), pii\.email \(2\)/);
});

it('the annex lists in full what lets something through, and sums up the rest', () => {
  const { sections } = made;
  const [showing, hiding, untagged] = tablesOf(sectionOf(sections, 'dpia-annex'));
  expect(showing?.rows.every(([, , tag, , reveals]) => tag !== 'none' && reveals !== '')).toBe(true);
  expect(hiding?.rows.length).toBeGreaterThan(0);
  expect(untagged?.rows.map(([transform, people, , tables]) => [transform, people, tables])).toContainEqual(['keep', 'no', 'shop.country']);
});

(qedro ? it : it.skip)(
  'qedro reads the same activity out of the run’s lineage',
  () => {
    const folder = join(shop.folder, 'lineage');
    mkdirSync(folder);
    const stated = { purpose: 'tests of what goes wrong', legalBasis: 'GDPR Art. 6(1)(f)', subjectCategories: ['customers'] };
    const events = shop.events().filter(({ type }) => lineageTypes.includes(type));
    const told = events.flatMap(({ type }, i) =>
      lineageTriggers.includes(type) ? toLineage(events.slice(0, i + 1), { workspace: 'default', version: '1', stated }) : [],
    );
    writeFileSync(join(folder, 'events.ndjson'), told.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const out = join(folder, 'record.json');
    writeFileSync(join(folder, 'qedro.yaml'), 'controller:\n  name: Shop\n  contact: privacy@shop.example\n');
    const { status, stderr } = spawnSync(qedro!, ['ropa', folder, '--format', 'json', '--out', out], { encoding: 'utf8', cwd: folder });
    expect([stderr, status]).toEqual([expect.anything(), 0]);
    const theirs = JSON.parse(readFileSync(out, 'utf8')) as Qedro;
    expect([theirs.complete, theirs.reasons]).toEqual([true, []]);
    const found = theirs.activities.find(({ name }) => name === 'small-shop')!;
    const valuesOf = (key: string): readonly string[] => found.classification.filter((one) => one.key === key).map(({ value }) => value);

    const { sections } = made;
    const ours = fieldsOf(sectionOf(sections, 'record-controller-1'));
    const at = (label: string): string => ours[label]!;
    expect(found.purpose.value).toBe(at('Purpose (Art. 30(1)(b))'));
    expect([found.legal_basis.value, at('Legal basis (Art. 6)')]).toEqual(['legitimate-interest', 'GDPR Art. 6(1)(f)']);
    expect(valuesOf('subject_type').filter((value) => value !== 'none')).toEqual([at('Categories of people (Art. 30(1)(c))')]);
    const categories = at('By tags, with the number of columns').replace(/ \(entry .*/, '');
    expect(valuesOf('data_category')).toEqual(categories.split(', ').map((one) => one.replace(/ \(\d+\)$/, '')));
    expect(valuesOf('residency')).toEqual([at('Region of the source (Art. 30(1)(e))').replace(/ \(entry .*/, '')]);
    expect(at('Time limit for erasure (Art. 30(1)(f))')).toMatch(new RegExp(`^${valuesOf('retention')[0]?.replace('d', ' days')} `));
    const tables = (keys: readonly string[]): readonly string[] => [...new Set(keys)].map((key) => key.replace(/^.*\/[^.]*\./, '')).sort();
    const [measures] = tablesOf(sectionOf(sections, 'measures'));
    const tagged = found.classification.filter(({ key }) => key === 'data_category').flatMap(({ writes }) => writes);
    expect(tables(tagged)).toEqual(tables(measures!.rows.map(([table]) => String(table))));
    expect(tables(found.reads)).toEqual(tables(found.writes));
  },
  60_000,
);

it('the worksheet of a breach tells what stood there, from when somebody says that he is aware', async () => {
  const said: string[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => (said.push(String(text)), true));
  try {
    const detected = new Date(Date.now() - 3_600_000).toISOString();
    const of = { home: shop.home, environment: 'dev', detected } as Parameters<typeof breach>[1];
    expect(await breach('aware', of)).toBe(0);
    await expect(breach('aware', { ...of, environment: 'nowhere' })).rejects.toMatchObject({ code: 'RESOURCE_UNKNOWN' });
    await expect(breach('aware', { ...of, detected: '2999-01-01' })).rejects.toMatchObject({ code: 'BREACH_DETECTED_LATER' });
    expect(said).toEqual([expect.stringContaining('72 hours end')]);
    said.length = 0;
    const asked = { ...of, ...period, file: shop.pipeline, format: 'json' };
    expect(await reportBreach(asked)).toBe(0);
    expect(await reportBreach({ ...asked, environment: undefined as never }).catch(({ code }) => code as unknown)).toBe('OPTION_MISSING');
  } finally {
    spy.mockRestore();
  }
  const { sections } = JSON.parse(said.join('')) as ReportDocument;
  expect(fieldsOf(sectionOf(sections, 'concerned'))).toMatchObject({ 'People: rows of tables of people': '4000' });
  expect(fieldsOf(sectionOf(sections, 'clock'))['As of what was read']).toMatch(/: 72 whole hours are left$/);
  expect(tablesOf(sectionOf(sections, 'keys'))[0]?.rows).toEqual([['masking', 'dev', 1, expect.stringMatching(/^not destroyed up to /)]]);
});

it('a person is found by pseudonym in the copy, what cannot be looked into is named, and who it is stands nowhere', async () => {
  const [id, file, out] = ['person17@company-17.example.com', join(shop.folder, 'person.json'), join(shop.folder, 'reach.json')];
  const numbered = { table: 'shop.customer', column: 'id', value: '17' };
  writeFileSync(file, JSON.stringify([{ table: 'shop.customer', column: 'email', value: id }, numbered]));
  const { code, stderr, stdout } = await shop.bauta([
    'report',
    'reach',
    '-f',
    shop.pipeline,
    '--subject',
    file,
    '--format',
    'json',
    '--out',
    out,
  ]);
  expect([stderr, stdout, code]).toEqual(['', '', 0]);
  const written = readFileSync(out, 'utf8');
  const { sections, front } = JSON.parse(written) as ReportDocument;
  expect(tablesOf(sectionOf(sections, 'found'))[0]?.rows.map((row) => row.filter((_, i) => i !== 2))).toEqual([
    ['current', 1, 'shop.customer', 'email', 1, 'found'],
    ['current', 1, 'shop.customer', 'id', 1, 'found'],
    ['current', 1, 'shop.customer', 'referred_by', 2, 'found'],
    // Neither order 17, which is somebody else's, nor an order twice because it is in a partition.
    ['current', 1, 'shop.order', 'customer_id', 4, 'found'],
  ]);
  expect(JSON.stringify(front)).toContain('1 of 1 versions and clones');
  expect(tablesOf(sectionOf(sections, 'versions'))[0]?.rows[0]?.slice(3, 6)).toEqual(['not dropped', 'not dropped', 'there, looked into']);
  expect(sectionOf(sections, 'not-reached').blocks).toContainEqual({
    kind: 'fields',
    fields: expect.arrayContaining([{ label: 'Backups of the target', value: null, standing: 'unknown' }]) as unknown,
  });
  // The log knows that somebody looked, by how many identifiers.
  const told = shop.events().filter(({ type }) => type === 'person.looked-for');
  expect(told.map(({ data }) => [data['identifiers'], data['copies'], data['environment']])).toEqual([[2, 1, 'dev']]);
  for (const text of [written, JSON.stringify(shop.events())]) expect(text).not.toContain(id);
  const unfit = await shop.bauta(['report', 'reach', '-f', shop.pipeline, '--subject', shop.pipeline]);
  expect(unfit).toMatchObject({ code: 3, stderr: expect.stringContaining('--subject') });
}, 60_000);

const names = [...reportNames, 'release', 'breach'] as const;
/** As the command line does it, into a file. */
const write = (name: string, options: Partial<ReportOptions>): Promise<number> => {
  const of = { home: shop.home, ...period, ...options } as ReportOptions;
  if (name === 'breach') return reportBreach({ ...of, environment: 'dev' });
  return name === 'release' ? report(name, 'v1', { ...of, commit: 'a'.repeat(40) }) : report(name, undefined, of);
};

it.each(names)(
  'the report %s is the same bytes twice in each of its forms',
  async (name) => {
    const isFramework = name !== 'release' && name !== 'breach';
    for (const format of [...paperFormats, ...(isFramework ? ['oscal'] : [])]) {
      const [first, second] = ['first', 'second'].map((which) => join(shop.folder, `${name}.${which}.${format}`)) as [string, string];
      expect([format, await write(name, { format, out: first }), await write(name, { format, out: second })]).toEqual([format, 0, 0]);
      expect(readFileSync(first).equals(readFileSync(second)) && readFileSync(first).length > 0 ? 'same' : `${format} differs`).toBe(
        'same',
      );
    }
  },
  60_000,
);

it('a report says with its exit code and on page 1 that its log is broken, or that nobody checked who signed', async () => {
  const [broken, out, key] = [join(shop.folder, 'broken'), join(shop.folder, 'told.json'), join(shop.home, 'log.pub')];
  cpSync(join(shop.home, 'log'), broken, { recursive: true });
  const tile = readdirSync(broken, { recursive: true, encoding: 'utf8' }).find((path) => /tile\/entries\/.*\d$/.test(path))!;
  const bytes = readFileSync(join(broken, tile));
  bytes[bytes.indexOf('run.started')] = 'R'.charCodeAt(0);
  writeFileSync(join(broken, tile), bytes);
  const spy = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    for (const name of names) {
      const told = async (options: Partial<ReportOptions>): Promise<unknown> => {
        const code = await write(name, { format: 'json', out, ...options });
        return [
          name,
          code,
          /The log is broken|Nobody knows who signed/.exec(
            JSON.stringify((JSON.parse(readFileSync(out, 'utf8')) as ReportDocument).front),
          )?.[0],
        ];
      };
      expect(await told({})).toEqual([name, 0, undefined]);
      expect(await told({ log: broken, key })).toEqual([name, 1, 'The log is broken']);
      expect(await told({ log: join(shop.home, 'log') })).toEqual([name, 5, 'Nobody knows who signed']);
      for (const bad of [{ from: 'yesterday' }, { key: shop.pipeline }])
        await expect(write(name, { format: 'json', out, ...bad })).rejects.toMatchObject({
          code: expect.stringMatching(/^(OPTION|PUBLIC_KEY)_INVALID$/),
        });
    }
  } finally {
    spy.mockRestore();
  }
  for (const bad of [
    ['--from', 'yesterday'],
    ['--from', '2026-01-01', '--format', 'docx'],
  ])
    expect(await shop.bauta(['report', 'pci', '--to', '2026-02-01', ...bad])).toMatchObject({ code: 3, stdout: '' });
  // A folder that is not there is not a period without entries.
  const nowhere = ['report', 'pci', '--from', '2026-01-01', '--to', '2026-02-01', '--log', '/nowhere'];
  expect(await shop.bauta(nowhere)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('LOG_EMPTY') });
}, 60_000);

interface Qedro {
  readonly complete: boolean;
  readonly reasons: readonly string[];
  readonly activities: readonly {
    readonly name: string;
    readonly purpose: { readonly value: string };
    readonly legal_basis: { readonly value: string };
    readonly classification: readonly { readonly key: string; readonly value: string; readonly writes: readonly string[] }[];
    readonly reads: readonly string[];
    readonly writes: readonly string[];
  }[];
}
