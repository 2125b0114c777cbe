// Documents that name their logins by `aws:` references, applied over REST: a worker reads them from Secrets Manager (as moto plays it), the API never does.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Grants } from '../../src/control/references.js';
import type { RunWorker } from '../../src/control/runs/runs.js';
import { systemClock } from '../../src/kernel/clock.js';
import { type Answer, type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TestAws, awsCredentials, startMoto } from '../support/moto.js';
import { findProgram } from '../support/program.js';
import { type TinyWorld, classificationText, passwords, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const program = findProgram('moto_server');
const region = 'eu-central-1';

(program === undefined ? describe.skip : describe)('documents with aws: references at the service', () => {
  let aws: TestAws;
  let tiny: TinyWorld;
  let world: ServiceWorld;
  let worker: RunWorker | undefined;
  let client: SecretsManagerClient;
  let ada = '';
  const home = mkdtempSync(join(tmpdir(), 'bauta-aws-api-'));
  const before = { ...process.env };

  beforeAll(async () => {
    [aws, tiny] = await Promise.all([startMoto(program!), startTinyWorld()]);
    // The credentials are those of the SDK's own chain.
    Object.assign(process.env, awsCredentials);
    client = new SecretsManagerClient({
      ...{ region, endpoint: aws.behind },
      credentials: { accessKeyId: awsCredentials.AWS_ACCESS_KEY_ID, secretAccessKey: awsCredentials.AWS_SECRET_ACCESS_KEY },
    });
    const source = new URL(await tiny.source('shop'));
    const login = JSON.stringify({ username: 'bauta_source', password: passwords.bauta_source });
    await client.send(new CreateSecretCommand({ Name: 'bauta/shop', SecretString: login }));
    await client.send(new CreateSecretCommand({ Name: 'bauta/target', SecretString: JSON.stringify({ url: tiny.target('copy') }) }));
    const place = `${source.hostname}:${source.port}/shop`;
    const granted = `workspaces: { default: { references: ['aws:bauta/shop', 'aws:bauta/target#url'], secrets: [{ reference: 'aws:bauta/shop', for: '${place}' }] } }`;
    writeFileSync(join(home, 'grants.yaml'), granted);
    world = await startServiceWorld(tiny.server, systemClock, {}, { grants: Grants.parse(granted, 'grants.yaml') });
    for (const secret of [...Object.values(passwords), awsCredentials.AWS_SECRET_ACCESS_KEY]) world.secret(secret);
    ada = await world.person('ada', ['policy-admin', 'requester']);
    const connection = `kind: Connection\nname: shop\nhost: ${source.hostname}\nport: ${source.port}\ndatabase: shop\ncredentials: aws:bauta/shop\n`;
    const pipeline = pipelineText.replace('env:SOURCE_URL', 'shop').replace('env:TARGET_URL', 'aws:bauta/target#url');
    const applied = await apply([pipeline, classificationText, connection].join('---\n'));
    expect([applied.status, applied.status === 200 ? '' : applied.body]).toEqual([200, '']);
    worker = await startRunWorker(
      world,
      home,
      {},
      {
        ...{ BAUTA_GRANTS: join(home, 'grants.yaml'), BAUTA_AWS_REGION: region, BAUTA_AWS_SECRETS_ENDPOINT: aws.url },
      },
    );
  }, 60_000);
  afterAll(async () => {
    await worker?.stop();
    client.destroy();
    await world.stop();
    await tiny.stop();
    await aws.stop();
    for (const name of Object.keys(awsCredentials)) delete process.env[name];
    Object.assign(process.env, before);
    rmSync(home, { recursive: true, force: true });
  });

  const apply = (text: string): Promise<Answer> =>
    world.ask('POST', '/v1/apply', { token: ada, text, headers: { 'content-type': 'application/yaml' } });
  async function run(): Promise<Record<string, unknown>> {
    const { status, body } = await world.ask('POST', '/v1/runs', { token: ada, json: { pipeline: 'tiny' } });
    expect(status).toBe(201);
    for (;;) {
      const { body: now } = await world.ask('GET', `/v1/runs/${String(body['id'])}`, { token: ada });
      if (now['endedAt'] !== null) return now;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('become a published copy; nothing is asked of AWS before a worker has the run, and no secret is said or stored', async () => {
    expect(aws.asked).toEqual([]);
    expect((await run())['state']).toBe('published');
    expect([...new Set(aws.asked)]).toEqual(['secretsmanager.GetSecretValue']);
    expect(await tiny.server.sql('copy', 'SELECT count(*)::int AS n FROM app.person')).toEqual([{ n: 180 }]);
  }, 60_000);

  it('go on with the password that is current when AWS has a new one', async () => {
    world.secret('another of tests');
    await tiny.server.sql('postgres', `ALTER ROLE bauta_source PASSWORD 'another of tests'`);
    const login = JSON.stringify({ username: 'bauta_source', password: 'another of tests' });
    await client.send(new PutSecretValueCommand({ SecretId: 'bauta/shop', SecretString: login }));
    expect((await run())['state']).toBe('published');
  }, 60_000);

  it('are refused where the grants do not name them', async () => {
    const refused = await apply(pipelineText.replace('env:SOURCE_URL', 'aws:bauta/other').replace('name: tiny', 'name: other'));
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([422, expect.stringContaining('REFERENCE_NOT_GRANTED')]);
  });
});
