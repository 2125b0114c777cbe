// Secrets of AWS, as moto plays it, and what a process does when AWS is away, refuses, or is somebody else.
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { toErrorView, toKnownError } from '../../src/kernel/errors.js';
import { Aws } from '../../src/systems/aws/aws.js';
import { type TestAws, awsCredentials, startMoto } from '../support/moto.js';
import { findProgram } from '../support/program.js';

const program = findProgram('moto_server');
const region = 'eu-central-1';
const canary = 'said-by-aws-6f1d';
const opened: Aws[] = [];
let aws: TestAws;
let arn = '';
let client: SecretsManagerClient;

const open = (settings: Readonly<Record<string, string>> = {}): Aws => {
  const one = new Aws(parseSettings({ BAUTA_AWS_REGION: region, BAUTA_AWS_SECRETS_ENDPOINT: aws.url, ...settings }));
  opened.push(one);
  return one;
};
const codeOf = (reading: Promise<unknown>): Promise<unknown> =>
  reading.then(
    (text) => ['answered', text],
    (error: unknown) => {
      expect(JSON.stringify(toErrorView(error))).not.toContain(canary);
      return toKnownError(error).code;
    },
  );

(program === undefined ? describe.skip : describe)('on moto', () => {
  const names = Object.keys(awsCredentials);
  beforeAll(async () => {
    Object.assign(process.env, awsCredentials);
    aws = await startMoto(program!);
    client = new SecretsManagerClient({ region, endpoint: aws.behind });
    const fields = JSON.stringify({ username: 'shop', password: canary, port: 5432 });
    arn = (await client.send(new CreateSecretCommand({ Name: 'bauta/shop', SecretString: fields }))).ARN ?? '';
    for (const [Name, SecretString] of Object.entries({
      'rds!db-0a1b': fields,
      '/plain_+=.@-': canary,
      'bauta/list': '[1]',
      'bauta/null': 'null',
    }))
      await client.send(new CreateSecretCommand({ Name, SecretString }));
    await client.send(new CreateSecretCommand({ Name: 'bauta/bytes', SecretBinary: Buffer.from(canary) }));
  }, 30_000);
  beforeEach(() => {
    Object.assign(process.env, awsCredentials);
    aws.intercept = undefined;
    aws.asked.length = 0;
  });
  afterAll(async () => {
    for (const name of names) delete process.env[name];
    await Promise.all(opened.map((one) => one.close()));
    client.destroy();
    await aws.stop();
  });

  it('gives a field of a secret or its whole text, by name or ARN, and nothing for what is not there', async () => {
    const one = open();
    for (const name of ['bauta/shop', 'rds!db-0a1b', arn]) expect(await one.read(`aws:${name}#password`)).toBe(canary);
    expect(JSON.parse((await one.read('aws:bauta/shop')) ?? '')).toEqual({ username: 'shop', password: canary, port: 5432 });
    expect(await one.read('aws:/plain_+=.@-')).toBe(canary);
    const nothing = [
      'bauta/shop#port',
      'bauta/shop#toString',
      'bauta/none',
      '/plain_+=.@-#x',
      'bauta/list#0',
      'bauta/null#x',
      'bauta/bytes',
    ];
    for (const name of nothing) expect([name, await one.read(`aws:${name}`)]).toEqual([name, undefined]);
  });

  it('gives what is current, as soon as it is', async () => {
    const one = open();
    await client.send(new CreateSecretCommand({ Name: 'bauta/turn', SecretString: 'first' }));
    expect(await one.read('aws:bauta/turn')).toBe('first');
    await client.send(new PutSecretValueCommand({ SecretId: 'bauta/turn', SecretString: 'next', VersionStages: ['AWSPENDING'] }));
    expect(await one.read('aws:bauta/turn')).toBe('first');
    await client.send(new PutSecretValueCommand({ SecretId: 'bauta/turn', SecretString: 'second' }));
    expect(await one.read('aws:bauta/turn')).toBe('second');
  });

  it('is not asked for what is no name of a secret', async () => {
    for (const name of [
      '',
      '#x',
      'a b',
      'a#',
      'a#b#c',
      'a?b',
      'a\nb',
      'arn:aws:s3:::bucket',
      'arn:aws:kms:eu-central-1:123456789012:key/x',
      'a'.repeat(513),
    ])
      expect(await codeOf(open().read(`aws:${name}`))).toBe('CONNECTION_REFERENCE_INVALID');
    expect(await codeOf(new Aws(parseSettings({})).read('aws:bauta/shop'))).toBe('AWS_UNSET');
    expect(aws.asked).toEqual([]);
  });

  it.each([
    ['AWS_DENIED', 1, 400, 'AccessDeniedException'],
    ['AWS_DENIED', 1, 400, 'UnrecognizedClientException'],
    ['AWS_DENIED', 1, 400, 'ExpiredTokenException'],
    ['AWS_DENIED', 1, 403, 'Whatever'],
    ['AWS_REQUEST_REFUSED', 1, 400, 'InvalidRequestException'],
    ['AWS_REQUEST_REFUSED', 1, 400, 'DecryptionFailure'],
    ['AWS_UNREACHABLE', 4, 400, 'ThrottlingException'],
    ['AWS_UNREACHABLE', 4, 500, 'InternalServiceError'],
    ['AWS_UNREACHABLE', 4, 503, undefined],
    ['AWS_UNREACHABLE', 1, 200, undefined],
  ])('says %s after %i tries where AWS answers %i %s, and nothing of its words', async (code, tries, status, name) => {
    const body = name === undefined ? `<html>${canary}` : JSON.stringify({ __type: name, message: canary, Message: canary });
    aws.intercept = () => ({ status, body });
    expect(await codeOf(open().read('aws:bauta/shop'))).toBe(code);
    expect(aws.asked).toHaveLength(tries);
  });

  it('tries again and goes on when AWS was away for a moment', async () => {
    let left = 2;
    aws.intercept = () => (left-- > 0 ? { status: 503, body: '' } : undefined);
    expect(await open().read('aws:bauta/shop#username')).toBe('shop');
  });

  it('says that it is not there, in seconds', async () => {
    expect(await codeOf(open({ BAUTA_AWS_SECRETS_ENDPOINT: 'http://127.0.0.1:9' }).read('aws:bauta/shop'))).toBe('AWS_UNREACHABLE');
    expect(
      await codeOf(
        open({ BAUTA_AWS_KMS_ENDPOINT: 'http://127.0.0.1:9' })
          .openKeys({ purpose: 'masking', workspace: 'a', environment: 'b' })
          .currentVersion(),
      ),
    ).toBe('AWS_UNREACHABLE');
  }, 30_000);

  it('goes to the address of its settings only, whatever the environment says of addresses and proxies', async () => {
    const elsewhere = await startMoto(program!);
    const planted = ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_SECRETS_MANAGER', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY'];
    try {
      for (const name of planted) process.env[name] = elsewhere.url;
      expect(await open().read('aws:bauta/shop#username')).toBe('shop');
      // A region that there is not has no address either.
      elsewhere.intercept = () => ({ status: 200, body: JSON.stringify({ SecretString: 'planted' }) });
      const nowhere = new Aws(parseSettings({ BAUTA_AWS_REGION: 'xx-none-1' }));
      opened.push(nowhere);
      expect(await codeOf(nowhere.read('aws:bauta/shop'))).toBe('AWS_UNREACHABLE');
      expect(elsewhere.asked).toEqual([]);
    } finally {
      for (const name of planted) delete process.env[name];
      await elsewhere.stop();
    }
  }, 90_000);

  it('says that there are no credentials, and asks for nothing without them', async () => {
    for (const name of names) delete process.env[name];
    Object.assign(process.env, { AWS_EC2_METADATA_DISABLED: 'true', AWS_SHARED_CREDENTIALS_FILE: '/none', AWS_CONFIG_FILE: '/none' });
    expect(await codeOf(open().read('aws:bauta/shop'))).toBe('AWS_CREDENTIALS_MISSING');
    expect(aws.asked).toEqual([]);
  });
});
