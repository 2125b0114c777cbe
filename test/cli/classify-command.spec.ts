// `bauta classify` from the first look at a database to the check in a pull request, on a real Postgres.
import { readFileSync, writeFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { loadDocuments, parseLock, readText } from '../../src/documents/documents.js';
import { makeFolder, say, type Said } from '../support/classified.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { expectWellFormed } from '../support/well-formed.js';

let server: TestServer;
let environment: Record<string, string>;
const folder = makeFolder();

beforeAll(async () => {
  server = await startTestServer();
  environment = { SOURCE_URL: await server.create('crm') };
  await server.sql(
    'crm',
    `CREATE EXTENSION hstore; CREATE EXTENSION citext;
     CREATE TYPE contact AS (name text, phone text);
     CREATE TABLE customer (id bigint PRIMARY KEY, email citext, "Vor Name" text, x7 text, flag boolean, profile jsonb, extra hstore, boss contact,
       labels text[], ip inet, said text, made_at timestamptz, full_mail text GENERATED ALWAYS AS (email::text || '!') STORED);
     COMMENT ON COLUMN customer.said IS 'seen by Ada; bauta: pii.free-text';
     CREATE TABLE purchase (id bigint PRIMARY KEY, customer_id bigint REFERENCES customer, total numeric, made_at timestamptz) ;
     CREATE TABLE part (id bigint, made_at timestamptz) PARTITION BY RANGE (id);
     CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
     CREATE TABLE maps (id int, byname jsonb, byid jsonb, weird json);
     INSERT INTO customer SELECT i, 'anna' || i || '@web.de', 'Anna', (ARRAY['4111111111111111','5500005555555559','6011000000000004'])[1 + i % 3], true,
       jsonb_build_object('contact', jsonb_build_object('mail', 'a' || i || '@web.de'), 'phones', jsonb_build_array('+49 30 90182' || i % 10, '+49 30 90182' || i % 10)),
       hstore('mail', 'b' || i || '@web.de'), ('Stefan Schmidt', '+4930901820')::contact, ARRAY['c' || i || '@web.de'], '8.8.8.8', 'x', now()
       FROM generate_series(1, 30000) i;
     UPDATE customer SET profile = profile || '{"hobby": {"since": "2001"}}' WHERE id = 29000;
     INSERT INTO maps SELECT i, jsonb_build_object('k' || i, 1), jsonb_build_object('user' || i || '@web.de', jsonb_build_object('n', i)), '{"a": [{"b": null}]}'
       FROM generate_series(1, 200) i;
     ANALYZE`,
  );
});
afterAll(async () => {
  folder.remove();
  await server.stop();
});

describe('a first document', () => {
  let said: Said;
  beforeAll(async () => {
    said = await say(['classify', '--source', 'env:SOURCE_URL'], environment);
    writeFileSync(folder.path('first.yaml'), said.out);
  });

  it('is a Classification that can be read back, and is written to stdout alone', async () => {
    expect(said.exitCode).toBe(0);
    const { definitions, findings } = await loadDocuments(folder.path('first.yaml'), readText);
    expect(findings).toEqual([]);
    expect(definitions[0]?.body).toMatchObject({
      kind: 'Classification',
      name: 'crm',
      tables: {
        'public.customer': {
          person: true,
          columns: {
            ...{ id: 'pii.key', email: 'pii.email', x7: 'pci.pan', ip: 'pii.ip', labels: 'pii.email', '"Vor Name"': 'pii.first-name' },
            extra: { paths: { mail: 'pii.email' } },
            boss: { paths: { name: 'pii.full-name', phone: 'pii.phone' } },
          },
        },
      },
    });
  });

  it('says rule and confidence, and marks what nobody knows, so that the plan stops there', () => {
    expect(said.out).toMatch(/^ {6}x7: pci\.pan # content\/pan 0\.97$/m);
    expect(said.out).toMatch(/^ {6}# unknown: total \(numeric\)$/m);
    expect(said.out).toMatch(/^ {6}# unknown: flag \(boolean\)$/m);
    expect(said.out).toMatch(/^ {6}# customer_id is pii\.key, as public\.customer\.id$/m);
    expect(said.out).toMatch(/^ {6}# said: its comment or label says it$/m);
    expect(said.out).not.toMatch(/full_mail|part_1/);
    expect(said.err).toContain('Nobody confirmed any of it');
  });

  it('lists the paths of every row, the one in 30,000 too, and says that it did', () => {
    expect(said.out).toMatch(/unknown: profile \(jsonb\): not every path is known; paths of all rows/);
    expect(said.out).toMatch(/# {5}contact\.mail: pii\.email/);
    expect(said.out).toMatch(/# {5}"phones\[\]": pii\.phone/);
    expect(said.out).toMatch(/# {5}hobby\.since: \? # unknown/);
  });

  it('shows keys that are data as *, in document and finding', () => {
    expect(said.out).toMatch(/# {5}"\*": \? # unknown/);
    expect(said.out).toMatch(/# {5}"\*\.n": \? # unknown/);
    expect(said.out).toMatch(/# {5}"a\[\]\.b": \? # unknown/);
    expect(said.err.match(/CLASSIFY_KEYS_ARE_DATA/g)).toHaveLength(2);
    expect(said.out + said.err).not.toMatch(/user\d|k17/);
  });

  it('leaves no trace at the source', async () => {
    const [row] = await server.sql('crm', 'SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $$bauta$$');
    expect(row).toEqual({ n: 0 });
  });

  it('is written for a role that may read only some tables, and names the others', async () => {
    await server.sql('crm', `CREATE ROLE narrow LOGIN PASSWORD 'narrow'; GRANT SELECT ON purchase TO narrow`);
    const url = new URL(environment['SOURCE_URL'] ?? '');
    url.username = 'narrow';
    url.password = 'narrow';
    const { exitCode, err, out } = await say(['classify', '--source', 'env:NARROW'], { NARROW: url.toString() });
    expect([exitCode, err.match(/CLASSIFY_SAMPLE_SKIPPED: public\.customer/g)?.length]).toEqual([0, 1]);
    expect(out).toMatch(/email: pii\.email # name/);
  });
});

describe('the check of a pull request', () => {
  const file = folder.path('classification.yaml');
  const schema = folder.path('schema.json');
  beforeAll(async () => {
    writeFileSync(schema, (await say(['classify', '--catalogue', 'env:SOURCE_URL'], environment)).out);
    writeFileSync(
      file,
      `kind: Classification
name: crm
tables:
  customer:
    person: true
    columns:
      id: pii.key
      email: pii.email
      '"Vor Name"': pii.first-name
      x7: pci.pan
      profile: {paths: {contact.mail: pii.email, 'phones[]': pii.phone}, rest: drop}
      extra: {paths: {mail: pii.email}}
      boss: {paths: {name: pii.full-name, phone: pii.phone}}
      labels: pii.email
      ip: pii.ip
    keep: [{columns: [flag], reason: says nothing of a person}]
  purchase:
    columns: {id: pii.key, total: quasi.amount}
  part:
    keep: [{columns: [id], reason: says nothing of a person}]
  maps:
    columns: {id: none, byname: pii.free-text, byid: pii.free-text, weird: pii.free-text}
patterns:
  '*.made_at': none
`,
    );
  });
  const check = (...more: string[]): Promise<Said> => say(['classify', '-f', file, '--check', '--schema', schema, ...more]);

  it('writes the same catalogue twice, without comments, counts and identifiers of the server', async () => {
    const again = await say(['classify', '--catalogue', 'env:SOURCE_URL'], environment);
    expect(again.out).toBe(readFileSync(schema, 'utf8'));
    expect(again.out).not.toMatch(/Ada|30000/);
    expect(again.out).toContain('bauta: pii.free-text');
  });

  it('fails for columns that only a pattern names until a person confirms them, and then passes', async () => {
    const before = await check();
    expect(before.exitCode).toBe(3);
    expect(before.out.match(/COLUMN_UNCONFIRMED/g)).toHaveLength(3);
    expect(before.out).toMatch(/classification\.yaml:24: error COLUMN_UNCONFIRMED: public\.customer\.made_at/);
    const confirmed = await say(
      ['classify', '-f', file, '--source', 'env:SOURCE_URL', '--confirm', '*.made_at', '--by', 'Ada Lovelace'],
      environment,
    );
    expect([confirmed.exitCode, confirmed.out]).toEqual([0, '']);
    const { lock, findings } = parseLock(readFileSync(folder.path('classification.lock'), 'utf8'), 'classification.lock');
    expect(findings).toEqual([]);
    expect(Object.keys(lock?.body.columns ?? {})).toEqual([
      'public.customer.made_at',
      'public.part.made_at',
      'public.part_1.made_at',
      'public.purchase.made_at',
    ]);
    expect(lock?.body.columns['public.customer.made_at']).toMatchObject({ tag: 'none', by: 'Ada Lovelace' });
    expect(await check()).toMatchObject({ exitCode: 0, out: '' });
  });

  it('fails for a new column with file, line and suggested tag, even if a pattern would match it', async () => {
    await server.sql(
      'crm',
      `ALTER TABLE purchase ADD COLUMN "<mobil>&" text; ALTER TABLE maps ADD COLUMN made_at timestamptz; ALTER TABLE purchase ADD COLUMN mobile text`,
    );
    const { exitCode, out } = await say(['classify', '-f', file, '--check', '--schema', 'env:SOURCE_URL'], environment);
    writeFileSync(schema, (await say(['classify', '--catalogue', 'env:SOURCE_URL'], environment)).out);
    expect(exitCode).toBe(3);
    expect(out).toMatch(/classification\.yaml:17: error COLUMN_UNTAGGED: .*public\.purchase\.mobile.*\n.*suggested: pii\.phone/);
    expect(out).toMatch(/classification\.yaml:24: error COLUMN_UNCONFIRMED: public\.maps\.made_at/);
    expect((await check()).out).toBe(out);
  });

  it('speaks JUnit that is well-formed whatever columns are called', async () => {
    const { out } = await check('--as', 'junit');
    expect(out).toContain('tests="3" failures="3"');
    expect(out).toContain('&lt;mobil&gt;&amp;');
    expectWellFormed(out);
  });

  it('speaks SARIF 2.1.0 with line and suggested tag', async () => {
    const { out } = await check('--as', 'sarif');
    const { version, runs } = JSON.parse(out) as {
      version: string;
      runs: { tool: { driver: { rules: { id: string }[] } }; results: Record<string, unknown>[] }[];
    };
    expect(version).toBe('2.1.0');
    const [run] = runs;
    expect(run?.tool.driver.rules.map(({ id }) => id)).toEqual(['COLUMN_UNCONFIRMED', 'COLUMN_UNTAGGED']);
    const mobile = run?.results.find(
      (result) => (result['properties'] as { suggestedTag?: string } | undefined)?.suggestedTag === 'pii.phone',
    );
    expect(mobile).toMatchObject({ level: 'error', locations: [{ physicalLocation: { region: { startLine: 17 } } }] });
  });

  it('speaks GitHub annotations, one a line, escaped', async () => {
    const lines = (await check('--as', 'github')).out.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toMatch(/^::error file=[^:,]+,line=\d+,title=COLUMN_[A-Z]+::/);
  });

  it('gives one JSON object when asked', async () => {
    const { out, exitCode } = await check('--json');
    expect(JSON.parse(out)).toMatchObject({
      passed: false,
      findings: [{ code: 'COLUMN_UNTAGGED' }, { code: 'COLUMN_UNTAGGED' }, { code: 'COLUMN_UNCONFIRMED' }],
    });
    expect(exitCode).toBe(3);
  });
});

describe('bad input', () => {
  it.each([
    [['classify'], 'OPTION_INVALID'],
    [['classify', '--check'], 'OPTION_INVALID'],
    [['classify', '--check', '--schema', 'nowhere.json', '-f', 'nowhere.yaml'], 'DOCUMENT'],
    [['classify', '--source', 'postgres://a:b@c/d'], 'COMMAND_LINE_SECRET'],
    [['classify', '--confirm', '*', '-f', 'x.yaml', '--schema', 'x.json'], 'OPTION_INVALID'],
  ])('%j is one clear error and exit 3', async (words, code) => {
    const { exitCode, err, out } = await say(words);
    expect([exitCode, out]).toEqual([3, '']);
    expect(err).toContain(code);
  });

  it('of a catalogue file is refused without an excerpt', async () => {
    writeFileSync(folder.path('broken.json'), '{"tables": [{"schema": "canary-in-a-file"');
    const { exitCode, err } = await say([
      'classify',
      '-f',
      folder.path('classification.yaml'),
      '--check',
      '--schema',
      folder.path('broken.json'),
    ]);
    expect([exitCode, err.includes('CATALOGUE_FILE_INVALID'), err.includes('canary')]).toEqual([3, true, false]);
  });
});
