// A run whose every secret comes from AWS, as moto plays it, asks for nothing that the policies of deploy/aws do not permit, and says no secret.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { type TestAws, awsCredentials, startMoto } from '../support/moto.js';
import { findProgram } from '../support/program.js';
import { type SmallShop, startSmallShop } from '../support/small-shop.js';

const program = findProgram('moto_server');

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
const folder = packageFile('deploy', 'aws');
const read = (name: string): string => readFileSync(join(folder, `${name}.json`), 'utf8');
const statements = (name: string): readonly Statement[] => (JSON.parse(read(name)) as { Statement: readonly Statement[] }).Statement;
const actions = (...names: readonly string[]): readonly string[] => [
  ...new Set(names.flatMap((name) => statements(name).flatMap(({ Action }) => Action))),
];

// moto enforces no IAM: what is held here is their shape, and below, that what is asked stands in them.
describe('the policies for AWS', () => {
  it('are one for each purpose, which name that purpose and no other, one for secrets and one for anchors', () => {
    expect(readdirSync(folder).sort()).toEqual(
      ['masking', 'token', 'transport']
        .flatMap((one) => [`${one}-custodian.json`, `${one}.json`])
        .concat('secrets.json', 'anchors.json')
        .sort(),
    );
    for (const end of ['', '-custodian']) {
      const wanted = read(`masking${end}`);
      expect(wanted).not.toMatch(/token|transport/);
      for (const other of ['token', 'transport']) expect(read(`${other}${end}`)).toBe(wanted.replaceAll('masking', other));
    }
  });

  it('let a worker compute, a custodian make and destroy, and nobody read, import, replicate, enable, or change who may', () => {
    expect(actions('masking')).toEqual(['kms:ListAliases', 'kms:DescribeKey', 'kms:ListResourceTags', 'kms:GenerateMac']);
    const made = ['kms:CreateKey', 'kms:CreateAlias', 'kms:DescribeKey', 'kms:TagResource', 'kms:ScheduleKeyDeletion'];
    expect(actions('masking-custodian')).toEqual(made);
    expect(actions('secrets')).toEqual(['secretsmanager:GetSecretValue']);
    // Whoever anchors may add and read, and neither delete nor lift a lock.
    expect(actions('anchors').filter((action) => !/^s3:(Get|List)/.test(action))).toEqual(['s3:PutObject', 's3:PutObjectRetention']);
  });

  it('bind every action to names of their purpose, to keys of our kind, or to what gives nothing away', () => {
    const free = ['masking', 'masking-custodian'].flatMap((name) =>
      statements(name).filter(
        ({ Resource, Condition }) =>
          Resource !== 'arn:aws:kms:*:*:alias/bauta/masking/*' &&
          Condition?.['ForAnyValue:StringLike']?.['kms:ResourceAliases'] !== 'alias/bauta/masking/*' &&
          Condition?.['StringEquals']?.['kms:KeySpec'] !== 'HMAC_256',
      ),
    );
    expect(free.map(({ Action }) => Action)).toEqual(['kms:ListAliases']);
    expect(
      [...statements('masking'), ...statements('masking-custodian'), ...statements('secrets')].every(({ Effect }) => Effect === 'Allow'),
    ).toBe(true);
    expect(statements('secrets').map(({ Resource }) => Resource)).toEqual(['arn:aws:secretsmanager:*:*:secret:bauta/*']);
  });
});

(program === undefined ? describe.skip : describe)('with every secret and key at AWS', () => {
  let aws: TestAws;
  let shop: SmallShop;
  let settings: Record<string, string>;
  const heard: string[] = [];
  const bauta = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await shop.bauta([...words], settings);
    heard.push(stdout, stderr);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };
  /** Since the last time, as actions of IAM. */
  const takeAsked = (): readonly string[] => [
    ...new Set(aws.asked.splice(0).map((one) => one.replace('TrentService.', 'kms:').replace('secretsmanager.', 'secretsmanager:'))),
  ];

  beforeAll(async () => {
    [aws, shop] = await Promise.all([startMoto(program!), startSmallShop()]);
    const region = 'eu-central-1';
    const admin = new URL(shop.source.url('production'));
    const source = new URL(shop.environment['SOURCE_URL'] ?? '');
    const client = new SecretsManagerClient({
      ...{ region, endpoint: aws.behind },
      credentials: { accessKeyId: awsCredentials.AWS_ACCESS_KEY_ID, secretAccessKey: awsCredentials.AWS_SECRET_ACCESS_KEY },
    });
    const login = { username: decodeURIComponent(source.username), password: decodeURIComponent(source.password), engine: 'postgres' };
    await client.send(new CreateSecretCommand({ Name: 'bauta/shop', SecretString: JSON.stringify(login) }));
    const target = JSON.stringify({ url: shop.environment['TARGET_URL'] });
    await client.send(new CreateSecretCommand({ Name: 'bauta/target', SecretString: target }));
    client.destroy();
    const place = `${admin.hostname}:${admin.port}/production`;
    writeFileSync(
      join(shop.folder, 'grants.yaml'),
      `workspaces: { default: { secrets: [{ reference: 'aws:bauta/shop', for: '${place}' }] } }`,
    );
    const text = readFileSync(shop.pipeline, 'utf8').replace('env:SOURCE_URL', 'shop').replace('env:TARGET_URL', 'aws:bauta/target#url');
    const connection = `kind: Connection\nname: shop\nhost: ${admin.hostname}\nport: ${admin.port}\ndatabase: production\ncredentials: aws:bauta/shop`;
    writeFileSync(shop.pipeline, `${text}\n---\n${connection}\n`);
    settings = {
      ...{ BAUTA_KEYS: 'aws-kms', BAUTA_AWS_REGION: region, BAUTA_AWS_KMS_ENDPOINT: aws.url, BAUTA_AWS_SECRETS_ENDPOINT: aws.url },
      ...{ ...awsCredentials, BAUTA_GRANTS: join(shop.folder, 'grants.yaml'), SOURCE_URL: '', TARGET_URL: '', DEBUG: '*' },
    };
  }, 60_000);
  afterAll(async () => {
    await shop.stop();
    await aws.stop();
    const secrets = ['SOURCE_URL', 'TARGET_URL'].map((name) => new URL(shop.environment[name] ?? '').password);
    for (const secret of [...secrets, awsCredentials.AWS_SECRET_ACCESS_KEY])
      expect(heard.filter((text) => text.includes(secret))).toEqual([]);
    // What the SDK would say of its later versions, too.
    expect(heard.filter((text) => /aws sdk|warning: /i.test(text))).toEqual([]);
  });

  it('makes a copy twice the same with a key that a custodian made, and asks for what a worker may', async () => {
    expect(await bauta('keys', 'rotate', '--environment', 'dev', '--reason', 'the first key of dev')).toContain('1');
    const custodian = takeAsked();
    expect(custodian.filter((one) => !actions('masking', 'masking-custodian').includes(one))).toEqual([]);
    const digests: unknown[] = [];
    for (let n = 0; n < 2; n++) {
      await bauta('run', '-f', shop.pipeline);
      digests.push((await shop.published())?.digest);
    }
    expect(digests[0]).toBeDefined();
    expect(digests[1]).toBe(digests[0]);
    expect([...takeAsked()].sort()).toEqual([...actions('masking', 'secrets')].sort());
  }, 90_000);

  it('destroys a version, and the attestation says until when it could be brought back', async () => {
    await bauta('keys', 'rotate', '--environment', 'dev', '--reason', 'the second key of dev');
    await bauta('run', '-f', shop.pipeline);
    aws.asked.length = 0;
    const words = ['--environment', 'dev', '--up-to', '1', '--reason', 'the year is over', '--json'];
    const { destroyed } = JSON.parse(await bauta('keys', 'destroy', ...words)) as { destroyed: { cannotReach: object[] } };
    expect(destroyed.cannotReach).toContainEqual({
      what: 'keys whose deletion is pending',
      state: 'declared',
      comment: 'unusable at once and deleted after 7 days; until then who administers the keys can bring them back',
    });
    expect(takeAsked().filter((one) => !actions('masking', 'masking-custodian').includes(one))).toEqual([]);
    const { keys } = JSON.parse(await bauta('keys', 'list', '--json')) as { keys: { versions: { state: string }[] }[] };
    expect(keys.map(({ versions }) => versions.map(({ state }) => state))).toContainEqual(['destroyed', 'current']);
  }, 90_000);
});
