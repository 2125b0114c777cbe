// The contract of keys on KMS, as moto plays it, and what only KMS has to promise.
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  KMSClient,
  ListAliasesCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import type { KeyHierarchy, OpenKeys } from '../../src/pipeline/ports.js';
import { Aws } from '../../src/systems/aws/aws.js';
import { describeKeyProvider, hierarchy, label } from '../support/key-provider-contract.js';
import { type TestAws, awsCredentials, startMoto } from '../support/moto.js';
import { findProgram } from '../support/program.js';

const program = findProgram('moto_server');
const region = 'eu-central-1';
const opened: Aws[] = [];
let aws: TestAws;
let kms: KMSClient;

beforeAll(async () => {
  if (program === undefined) return;
  Object.assign(process.env, awsCredentials);
  aws = await startMoto(program);
  kms = new KMSClient({ region, endpoint: aws.behind });
}, 30_000);
beforeEach(async () => {
  await aws?.reset();
});
afterAll(async () => {
  await Promise.all(opened.map((one) => one.close()));
  kms?.destroy();
  await aws?.stop();
});

/** As a process of its own has them. */
const open: OpenKeys = (wanted) => {
  const one = new Aws(parseSettings({ BAUTA_AWS_REGION: region, BAUTA_AWS_KMS_ENDPOINT: aws.url }));
  opened.push(one);
  return one.openKeys(wanted);
};
const alias = (version: number): string => `alias/bauta/masking/default/ci/v${version}`;
const refuse = (name: string) => ({ status: 400, body: JSON.stringify({ __type: name, message: 'said by KMS' }) });

(program === undefined ? describe.skip : describe)('on moto', () => {
  describeKeyProvider('KMS of AWS', () => open);

  it('makes a key that never was outside of KMS, under an alias that says whose it is', async () => {
    await open(hierarchy).currentVersion();
    const { KeyMetadata: key } = await kms.send(new DescribeKeyCommand({ KeyId: alias(1) }));
    expect(key).toMatchObject({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', Origin: 'AWS_KMS', MultiRegion: false });
  });

  it.each([
    { MultiRegion: true },
    { Origin: 'EXTERNAL' },
    { KeySpec: 'HMAC_512' },
    { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' },
  ] as const)('refuses a key with %j', async (more) => {
    const made = await kms.send(new CreateKeyCommand({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', ...more }));
    await kms.send(new CreateAliasCommand({ AliasName: alias(1), TargetKeyId: made.KeyMetadata?.KeyId }));
    const keys = open(hierarchy);
    for (const use of [() => keys.currentVersion(), () => keys.derive(label, 1), () => keys.rotate(), () => keys.destroyUpTo(1)])
      await expect(use()).rejects.toMatchObject({ code: 'AWS_KEY_UNSAFE' });
  });

  it('asks KMS once for a label and version, however often a run needs it', async () => {
    const keys = open(hierarchy);
    const version = await keys.currentVersion();
    const derived = await Promise.all(Array.from({ length: 50 }, () => keys.derive(label, version)));
    // Who uses a key may wipe it.
    derived[0]?.fill(0);
    expect(await keys.derive(label, version)).toEqual(derived[1]);
    await keys.derive('other', version);
    expect(aws.asked.filter((one) => one === 'TrentService.GenerateMac')).toHaveLength(2);
  });

  it('takes labels of up to 4,096 bytes and says so of longer ones, before KMS is asked', async () => {
    const keys = open(hierarchy);
    const version = await keys.currentVersion();
    expect(await keys.derive('ä'.repeat(2048), version)).toHaveLength(32);
    for (const bad of ['', `${'ä'.repeat(2048)}x`])
      await expect(keys.derive(bad, version)).rejects.toMatchObject({ code: 'AWS_LABEL_LONG' });
  });

  it('lets a destroyed version be used by nobody at once, for a deletion in the seven days that are the shortest KMS knows', async () => {
    const keys = open(hierarchy);
    await keys.currentVersion();
    await keys.rotate();
    await keys.destroyUpTo(1);
    const { KeyMetadata: key } = await kms.send(new DescribeKeyCommand({ KeyId: alias(1) }));
    const days = ((key?.DeletionDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect([key?.KeyState, Math.round(days), keys.pendingDays]).toEqual(['PendingDeletion', 7, 7]);
    // So does KMS; moto would compute.
    const before = aws.asked.length;
    await expect(open(hierarchy).derive(label, 1)).rejects.toMatchObject({ code: 'KEY_VERSION_DESTROYED' });
    expect(aws.asked.slice(before)).not.toContain('TrentService.GenerateMac');
  });

  it('remembers what was destroyed when KMS has taken key and alias away, and over rotations and destructions after that', async () => {
    const keys = open(hierarchy);
    await keys.currentVersion();
    for (let n = 0; n < 3; n++) await keys.rotate();
    await keys.destroyUpTo(1);
    await keys.rotate();
    await keys.destroyUpTo(4);
    for (const version of [1, 2, 3, 4]) await kms.send(new DeleteAliasCommand({ AliasName: alias(version) }));
    expect((await open(hierarchy).versions()).map(({ state }) => state)).toEqual([...Array<string>(4).fill('destroyed'), 'current']);
    await expect(open(hierarchy).derive(label, 4)).rejects.toMatchObject({ code: 'KEY_VERSION_DESTROYED' });
    expect(await open(hierarchy).rotate()).toBe(6);
    expect((await open(hierarchy).versions()).map(({ state }) => state)).toEqual([
      ...Array<string>(4).fill('destroyed'),
      'kept',
      'current',
    ]);
  });

  it('goes on with a destruction that was cut off, and counts it as done meanwhile', async () => {
    const keys = open(hierarchy);
    await keys.currentVersion();
    await keys.rotate();
    aws.intercept = (target) => (target.endsWith('.ScheduleKeyDeletion') ? refuse('AccessDeniedException') : undefined);
    await expect(keys.destroyUpTo(1)).rejects.toMatchObject({ code: 'AWS_DENIED' });
    await expect(open(hierarchy).derive(label, 1)).rejects.toMatchObject({ code: 'KEY_VERSION_DESTROYED' });
    aws.intercept = undefined;
    await open(hierarchy).destroyUpTo(1);
    const { KeyMetadata: key } = await kms.send(new DescribeKeyCommand({ KeyId: alias(1) }));
    expect(key?.KeyState).toBe('PendingDeletion');
  });

  it('tells a key that somebody disabled from one that is destroyed', async () => {
    const keys = open(hierarchy);
    await keys.currentVersion();
    await keys.rotate();
    // As KMS does and moto does not.
    aws.intercept = (target) => (target.endsWith('.GenerateMac') ? refuse('DisabledException') : undefined);
    await expect(keys.derive(label, 1)).rejects.toMatchObject({ code: 'AWS_KEY_UNUSABLE' });
    await open(hierarchy).destroyUpTo(1);
    aws.intercept = (target) => (target.endsWith('.GenerateMac') ? refuse('KMSInvalidStateException') : undefined);
    await expect(keys.derive(label, 1)).rejects.toMatchObject({ code: 'KEY_VERSION_DESTROYED' });
  });

  it('waits for a key that KMS does not know everywhere yet', async () => {
    let unknown = 2;
    aws.intercept = (target) => (/\.(GenerateMac|DescribeKey)$/.test(target) && unknown-- > 0 ? refuse('NotFoundException') : undefined);
    const keys = open(hierarchy);
    expect(await keys.currentVersion()).toBe(1);
    unknown = 2;
    expect(await keys.derive(label, 1)).toHaveLength(32);
  });

  it('keeps one key of two that were made at once, and lets the other go', async () => {
    await Promise.all([1, 2, 3].map(() => open(hierarchy).currentVersion()));
    const { Aliases = [] } = await kms.send(new ListAliasesCommand({}));
    expect(Aliases.filter(({ AliasName }) => AliasName?.startsWith('alias/bauta/')).map(({ AliasName }) => AliasName)).toEqual([alias(1)]);
    const made = aws.asked.filter((one) => one === 'TrentService.CreateKey').length;
    expect(aws.asked.filter((one) => one === 'TrentService.ScheduleKeyDeletion')).toHaveLength(made - 1);
  });

  it('reads a list of aliases to its end, however many others an account has', async () => {
    await open(hierarchy).rotate();
    // moto has no pages.
    const page = { Aliases: [{ AliasName: 'alias/else', TargetKeyId: 'x' }], Truncated: true, NextMarker: 'more' };
    let pages = 0;
    aws.intercept = (target) => (target.endsWith('.ListAliases') && pages++ < 3 ? { status: 200, body: JSON.stringify(page) } : undefined);
    expect(await open(hierarchy).versions()).toMatchObject([{ version: 1, state: 'current' }]);
    expect(pages).toBe(4);
  });

  it('has names for all that a hierarchy may be called', async () => {
    const names: Partial<KeyHierarchy>[] = [
      '',
      '_',
      '-',
      'ä',
      'A',
      'a.b',
      'a-b',
      '_2d',
      'a/b',
      '_sha256-',
      'X'.repeat(100),
      'Y'.repeat(100),
    ].map((environment) => ({ environment, workspace: 'W'.repeat(100) }));
    const derived: string[] = [];
    for (const name of names) {
      const one = open({ ...hierarchy, ...name });
      derived.push(Buffer.from(await one.derive(label, await one.currentVersion())).toString('hex'));
    }
    expect(new Set(derived).size).toBe(names.length);
  });
});
