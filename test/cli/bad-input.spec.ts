// Whatever a user gets wrong: one JSON object of one shape, one clear error with a code, a place and what to do, the right exit code, and no
// value of a row and no password in anything that was said.
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { Finding } from '../../src/kernel/errors.js';
import {
  type Said,
  type TinyWorld,
  bauta,
  canary,
  classificationText,
  passwords,
  pipelineText,
  startTinyWorld,
} from '../support/tiny-source.js';

interface Row {
  /** Edits of the documents, by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly sourceUrl?: () => string | Promise<string>;
  readonly targetUrl?: () => string | Promise<string>;
  readonly settings?: Readonly<Record<string, string>>;
  readonly words?: (file: string) => readonly string[];
  readonly exitCode: number;
  readonly state?: string;
  /** All codes that findings of severity error have. */
  readonly codes: readonly string[];
  readonly where?: Readonly<Record<string, unknown>>;
  /** A word that stands in the hint or the message. */
  readonly says?: string;
}

const secret = 'kept-from-logs-3';
const reasoned = `overrides: [{ columns: ['app."order".note'], reason: the load will tell }]\n`;
const runMembers = [
  'checkpoint',
  'checks',
  'dataset',
  'decision',
  'findings',
  'peakRssBytes',
  'privacy',
  'pruned',
  'rowsPerSecond',
  'runId',
  'seconds',
  'state',
  'tables',
  'verdicts',
];

let world: TinyWorld;
let silent: Server;
let fine: string;
beforeAll(async () => {
  silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  world = await startTinyWorld();
  fine = await world.source('fine');
  await world.server.sql(
    'postgres',
    `CREATE ROLE plain LOGIN PASSWORD '${secret}'; CREATE ROLE maker LOGIN CREATEROLE PASSWORD '${secret}'; GRANT pg_signal_backend TO maker;
     CREATE ROLE reader LOGIN CREATEDB CREATEROLE PASSWORD '${secret}'; GRANT pg_signal_backend TO reader;
     ALTER ROLE reader SET default_transaction_read_only = on;
     CREATE ROLE taken_owner LOGIN`,
  );
  await world.server.create('somebodys');
  await world.server.sql('postgres', 'ALTER DATABASE somebodys OWNER TO bauta_target');
}, 60_000);
afterAll(async () => {
  silent.close();
  await world.stop();
});

const port = (server: Server): number => (server.address() as { port: number }).port;
const as = (role: string, url: string): string => url.replace(/\/\/\w+:[^@]*@/, () => `//${role}:${secret}@`);
const edit = (text: string, from: string | RegExp, to: string): string => {
  const edited = text.replace(from, to);
  if (edited === text) throw new Error('the edit changes nothing');
  return edited;
};
const pipeline = (from: string | RegExp, to: string): NonNullable<Row['files']> => ({ 'pipeline.yaml': edit(pipelineText, from, to) });
const classification = (from: string | RegExp, to: string): NonNullable<Row['files']> => ({
  'classification.yaml': edit(classificationText, from, to),
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const closed = port(server);
  await new Promise((resolve) => server.close(resolve));
  return closed;
}

const rows: Readonly<Record<string, Row>> = {
  // ── servers
  'an unreachable server': {
    sourceUrl: async () => `postgres://u:${secret}@127.0.0.1:${await closedPort()}/x`,
    exitCode: 1,
    codes: ['CONNECTION_UNREACHABLE'],
    where: { connection: 'env:SOURCE_URL' },
  },
  'an unreachable target': {
    targetUrl: async () => `postgres://u:${secret}@127.0.0.1:${await closedPort()}/x`,
    exitCode: 1,
    codes: ['CONNECTION_UNREACHABLE'],
    where: { connection: 'env:TARGET_URL' },
  },
  'a server that accepts and says nothing': {
    sourceUrl: () => `postgres://u:${secret}@127.0.0.1:${port(silent)}/x`,
    settings: { BAUTA_CONNECT_TIMEOUT_MS: '300' },
    exitCode: 1,
    codes: ['CONNECTION_TIMEOUT'],
    where: { connection: 'env:SOURCE_URL', amount: '300 ms' },
    says: 'BAUTA_CONNECT_TIMEOUT_MS',
  },
  'a silent server and a time-out of the caller': {
    sourceUrl: () => `postgres://u:${secret}@127.0.0.1:${port(silent)}/x`,
    words: (file) => ['run', '--json', '-f', file, '--timeout', '400ms'],
    exitCode: 4,
    state: 'cancelled',
    codes: ['TIMEOUT_PASSED'],
    where: { amount: '400 ms' },
  },
  'a wrong password': {
    sourceUrl: () => as('bauta_source', fine),
    exitCode: 3,
    codes: ['CONNECTION_REFUSED_LOGIN'],
    where: { connection: 'env:SOURCE_URL' },
  },
  'a source database that is missing': {
    sourceUrl: () => edit(fine, /\/fine$/, '/nowhere'),
    exitCode: 3,
    codes: ['DATABASE_MISSING'],
    where: { connection: 'env:SOURCE_URL' },
  },
  'no connection string in the variable': {
    sourceUrl: () => '',
    exitCode: 3,
    codes: ['CONNECTION_REFERENCE_INVALID'],
    says: 'env:SOURCE_URL',
  },
  'something else than a connection string in the variable': {
    sourceUrl: () => `${secret} and more`,
    exitCode: 3,
    codes: ['CONNECTION_REFERENCE_INVALID'],
    says: 'env:SOURCE_URL',
  },
  // ── documents
  'a table that is missing': {
    files: classification('app.product:', 'app.produkt:'),
    exitCode: 3,
    codes: ['CLASSIFICATION_TABLE_UNKNOWN', 'COLUMN_UNTAGGED', 'COLUMN_UNTAGGED', 'COLUMN_UNTAGGED', 'COLUMN_UNTAGGED'],
    where: { file: 'classification.yaml', line: 7 },
    says: 'app.product',
  },
  'an unknown tag': {
    files: classification('pii.email', 'pii.emial'),
    exitCode: 3,
    codes: ['CLASSIFICATION_TAG_UNKNOWN'],
    where: { file: 'classification.yaml', line: 6 },
    says: 'did you mean pii.email?',
  },
  'an unknown transform': {
    files: pipeline(/$/, 'overrides:\n  - { columns: [app.order.note], transform: redakt, reason: it was asked for }\n'),
    exitCode: 3,
    codes: ['PLAN_TRANSFORM_UNKNOWN'],
    where: { file: 'pipeline.yaml', line: 19 },
    says: 'did you mean redact?',
  },
  'a YAML syntax error': {
    files: pipeline('purpose: tests', `purpose: "${secret}`),
    exitCode: 3,
    codes: ['DOCUMENT_SYNTAX'],
    where: { file: 'pipeline.yaml' },
  },
  'a key that stands twice': {
    files: pipeline('owner: team-tiny', `owner: team-tiny\nowner: ${secret}`),
    exitCode: 3,
    codes: ['DOCUMENT_KEY_DUPLICATE'],
    where: { file: 'pipeline.yaml', line: 15 },
  },
  'a member that nobody knows': {
    files: pipeline('owner: team-tiny', 'owner: team-tiny\nretentiondays: 3'),
    exitCode: 3,
    codes: ['DOCUMENT_MEMBER_UNKNOWN'],
    where: { file: 'pipeline.yaml', line: 15 },
    says: 'did you mean retentionDays?',
  },
  'a cyclic import': {
    files: {
      'classification.yaml': edit(classificationText, 'name: tiny', 'name: tiny\nimport: [more.yaml]'),
      'more.yaml': 'kind: Rulebook\nname: mine\nimport: [classification.yaml]\nrules: {}\n',
    },
    exitCode: 3,
    codes: ['DOCUMENT_IMPORT_CYCLE'],
    where: { file: 'classification.yaml' },
  },
  'a missing import': {
    files: pipeline('[classification.yaml]', '[classification.yaml, roles.yaml]'),
    exitCode: 3,
    codes: ['DOCUMENT_MISSING'],
    where: { file: 'roles.yaml', line: 3 },
    says: 'paths in import',
  },
  'a missing document': {
    words: (file) => ['run', '--json', '-f', file.replace('pipeline.yaml', 'pipelin.yaml')],
    exitCode: 3,
    codes: ['DOCUMENT_MISSING'],
  },
  'a password in a document': {
    files: pipeline('env:SOURCE_URL', `"postgres://bauta:${secret}@db/x"`),
    exitCode: 3,
    codes: ['DOCUMENT_SECRET', 'DOCUMENT_VALUE_INVALID'],
    where: { file: 'pipeline.yaml', line: 4 },
    says: 'env:NAME',
  },
  // ── the command line
  'a connection string on the command line': {
    words: () => ['run', '--json', '-f', `postgres://bauta:${secret}@db/x`],
    exitCode: 3,
    codes: ['COMMAND_LINE_SECRET'],
  },
  'a password on the command line': {
    words: (file) => ['run', '--json', '-f', file, `--password=${secret}`],
    exitCode: 3,
    codes: ['COMMAND_LINE_SECRET'],
  },
  'an unknown option': {
    words: (file) => ['run', '--json', '-f', file, '--timeuot=5s'],
    exitCode: 3,
    codes: ['OPTION_UNKNOWN'],
    where: { name: '--timeuot' },
    says: 'did you mean --timeout?',
  },
  'an option without its value': {
    words: () => ['run', '--json', '-f'],
    exitCode: 3,
    codes: ['OPTION_MISSING'],
    says: 'bauta run --help',
  },
  'no document at all': {
    words: () => ['run', '--json'],
    exitCode: 3,
    codes: ['OPTION_MISSING'],
    says: '--file',
  },
  'a time-out that is none': {
    words: (file) => ['run', '--format', 'json', '-f', file, '--timeout', secret],
    exitCode: 3,
    codes: ['OPTION_INVALID'],
    says: '30m',
  },
  'a word too many': {
    words: (file) => ['run', '--json', '-f', file, secret],
    exitCode: 3,
    codes: ['COMMAND_LINE_INVALID'],
  },
  'an unknown setting and an invalid one, at once': {
    settings: { BAUTA_THREAD: '2', BAUTA_BATCH_BYTES: secret },
    exitCode: 3,
    codes: ['SETTING_INVALID', 'SETTING_UNKNOWN'],
    says: 'BAUTA_THREADS',
  },
  // ── the source
  'SELECT missing on two tables': {
    sourceUrl: async () =>
      as('plain', await world.source('unreadable', 'GRANT USAGE ON SCHEMA app TO plain; GRANT SELECT ON app.product TO plain')),
    exitCode: 3,
    codes: ['SOURCE_PRIVILEGE_MISSING', 'SOURCE_PRIVILEGE_MISSING', 'SOURCE_PRIVILEGE_MISSING', 'SOURCE_PRIVILEGE_MISSING'],
    says: 'app.person',
  },
  'a source role that can write': {
    sourceUrl: () => world.source('writable', 'GRANT INSERT, DELETE ON app.product TO bauta_source'),
    exitCode: 3,
    codes: ['SOURCE_ROLE_CAN_WRITE'],
    where: { schema: 'app', table: 'product' },
  },
  'a superuser at the source': {
    sourceUrl: () => world.server.url('fine'),
    exitCode: 3,
    codes: ['SOURCE_ROLE_IS_SUPERUSER'],
  },
  'row-level security that hides rows': {
    sourceUrl: async () =>
      as(
        'plain',
        await world.source(
          'hidden',
          `GRANT USAGE ON SCHEMA app TO plain; GRANT SELECT ON ALL TABLES IN SCHEMA app TO plain; GRANT SELECT ON ALL SEQUENCES IN SCHEMA app TO plain;
           ALTER TABLE app.person ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON app.person USING (id < 100)`,
        ),
      ),
    exitCode: 3,
    codes: ['ROW_SECURITY_HIDES_ROWS'],
    where: { schema: 'app', table: 'person' },
  },
  'a schema that reaches out': {
    sourceUrl: () =>
      world.source(
        'reaching',
        `CREATE EXTENSION postgres_fdw; CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${secret}.example');
         CREATE FOREIGN TABLE app.far (id int) SERVER elsewhere`,
      ),
    exitCode: 3,
    codes: ['SCHEMA_REACHES_OUT', 'SCHEMA_REACHES_OUT', 'SCHEMA_REACHES_OUT'],
    says: 'app.far',
  },
  // ── the target
  'a target that is the source': {
    targetUrl: () => world.target('fine'),
    exitCode: 3,
    codes: ['TARGET_IS_SOURCE'],
    where: { name: 'fine' },
  },
  'a database of somebody else at the place of the target': {
    targetUrl: () => world.target('somebodys'),
    exitCode: 3,
    codes: ['TARGET_NOT_OURS'],
    where: { name: 'somebodys' },
    says: 'adopt',
  },
  'a role of somebody else at the place of an environment role': {
    targetUrl: () => world.target('taken'),
    exitCode: 3,
    codes: ['TARGET_ROLE_CLASH'],
    where: { name: 'taken_owner' },
  },
  'a target role without CREATEDB': {
    targetUrl: () => as('maker', world.target('made')),
    exitCode: 3,
    codes: ['TARGET_NO_CREATEDB'],
    where: { name: 'maker' },
  },
  'a target that is read-only': {
    targetUrl: () => as('reader', world.target('made')),
    exitCode: 3,
    codes: ['SERVER_READ_ONLY'],
    where: { connection: 'env:TARGET_URL' },
  },
  'a target without a name': {
    targetUrl: () => edit(world.target('made'), /\/made$/, ''),
    exitCode: 3,
    codes: ['TARGET_DATABASE_UNNAMED'],
  },
  // ── values
  'a check that pseudonyms break': {
    sourceUrl: () => world.source('short_mail', `ALTER TABLE app.person ADD CONSTRAINT ours_only CHECK (length(email) < 24)`),
    exitCode: 3,
    codes: ['PLAN_CONDITION_BROKEN'],
    where: { schema: 'app', table: 'person', constraint: 'ours_only', column: 'email' },
    says: 'keep with a reason',
  },
  'a domain that pseudonyms do not fit': {
    sourceUrl: () =>
      world.source(
        'short_domain',
        `CREATE DOMAIN app.mail AS text CHECK (length(VALUE) < 24); ALTER TABLE app.person ALTER email TYPE app.mail; ANALYZE`,
      ),
    exitCode: 3,
    codes: ['PLAN_CONDITION_BROKEN'],
    where: { schema: 'app', table: 'person', object: 'domain app.mail', column: 'email' },
  },
  'a masked value that a check of a domain refuses, for which somebody gave a reason': {
    sourceUrl: () =>
      world.source(
        'domain',
        `CREATE DOMAIN app.words AS text CONSTRAINT ours_only CHECK (VALUE LIKE 'call %'); ALTER TABLE app."order" ALTER note TYPE app.words; ANALYZE`,
      ),
    files: { 'pipeline.yaml': `${pipelineText}${reasoned}` },
    exitCode: 1,
    codes: ['DELIVER_VALUE_REFUSED'],
    where: { schema: 'app', table: 'order', constraint: 'ours_only', column: 'note' },
    says: 'ours_only',
  },
  'a masked value that a check of a table refuses, for which somebody gave a reason': {
    sourceUrl: () => world.source('checked', `ALTER TABLE app."order" ADD CONSTRAINT ours_only CHECK (note LIKE 'call %')`),
    files: { 'pipeline.yaml': `${pipelineText}${reasoned}` },
    exitCode: 1,
    codes: ['DELIVER_OBJECT_FAILED'],
    says: 'ours_only',
  },
};

async function say(row: Row): Promise<Said> {
  const file = world.documents(row.files);
  return bauta(row.words?.(file) ?? ['run', '--json', '-f', file], {
    cwd: world.folder,
    env: {
      SOURCE_URL: await (row.sourceUrl ?? (() => fine))(),
      TARGET_URL: await (row.targetUrl ?? (() => world.target('copy')))(),
      ...row.settings,
    },
  });
}

it.each(Object.entries(rows))('%s', async (_, row) => {
  const { exitCode, stdout, stderr } = await say(row);
  for (const kept of [canary, secret, ...Object.values(passwords)]) expect(stdout + stderr).not.toContain(kept);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  const { error, ...summary } = JSON.parse(stdout) as Record<string, unknown> & { findings: Finding[]; error: Finding };
  expect(Object.keys(summary).sort()).toEqual(runMembers);
  const errors = summary.findings.filter(({ severity }) => severity === 'error');
  expect([errors.map(({ code }) => code).sort(), exitCode, summary['state']]).toEqual([row.codes, row.exitCode, row.state ?? 'failed']);
  expect(Object.keys(error).sort()).toEqual(['code', 'hint', 'message', 'where']);
  for (const { message, hint } of [...errors, error]) expect(message + hint).not.toMatch(/unknown(?! )|undefined|\{\w+\}/);
  if (row.where) expect(errors.map(({ where }) => where)).toContainEqual(expect.objectContaining(row.where));
  if (row.says !== undefined) expect(errors.map(({ message, hint }) => `${message} ${hint}`).join('\n')).toContain(row.says);
  // What a person reads, on the other stream: the code, and what to do.
  expect(stderr).toContain(`error: ${error.code}`);
  expect(stderr).toContain(`hint:  ${error.hint}`);
  for (const { code } of errors) expect(stderr).toContain(code);
});
