// A folder of a bucket with object lock, as moto plays it: what is put there stays what it is, whoever lays something over it or deletes it.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { openReportStore, toMediaType } from '../../src/control/report-store.js';
import { storeBytes, storeReports } from '../../src/control/store-reports.js';
import { closeStores } from '../../src/control/stores.js';
import { Aws, type LockedFolder, parseBucketPlace } from '../../src/systems/aws/aws.js';
import { type TestAws, awsCredentials, startMoto } from '../support/moto.js';
import { findProgram } from '../support/program.js';

const program = findProgram('moto_server');
const region = 'eu-central-1';
const text = (words: string): Uint8Array => Buffer.from(words);
const tomorrow = new Date(Date.now() + 86_400_000);
const later = new Date(Date.now() + 10 * 86_400_000);
const terms = { retainUntil: tomorrow, contentType: 'text/plain' };

it('names a folder of a bucket in one form', () => {
  expect(parseBucketPlace('s3://evidence')).toEqual({ bucket: 'evidence', prefix: '' });
  expect(parseBucketPlace('s3://evidence/logs/shop/')).toEqual({ bucket: 'evidence', prefix: 'logs/shop/' });
  for (const wrong of ['s3://E', 's3://evidence/../other', 's3://evidence//', 's3://evidence/a b', 'https://evidence/logs', 's3:///logs'])
    expect([wrong, parseBucketPlace(wrong)]).toEqual([wrong, undefined]);
});

(program === undefined ? describe.skip : describe)('a folder with object lock', () => {
  let moto: TestAws;
  let client: S3Client;
  let aws: Aws;
  let folder: LockedFolder;
  const stranger = (Key: string, more: Partial<PutObjectCommandInput> = {}): Promise<unknown> =>
    client.send(new PutObjectCommand({ Bucket: 'evidence', Key, Body: 'another', ...more }));

  beforeAll(async () => {
    Object.assign(process.env, awsCredentials);
    moto = await startMoto(program!);
    client = new S3Client({ region, endpoint: moto.behind, forcePathStyle: true });
    const CreateBucketConfiguration = { LocationConstraint: region } as const;
    await client.send(new CreateBucketCommand({ Bucket: 'evidence', CreateBucketConfiguration, ObjectLockEnabledForBucket: true }));
    await client.send(new CreateBucketCommand({ Bucket: 'plain', CreateBucketConfiguration }));
    aws = new Aws(parseSettings({ BAUTA_AWS_REGION: region, BAUTA_AWS_S3_ENDPOINT: moto.behind }));
    folder = await aws.openLocked(parseBucketPlace('s3://evidence/logs')!);
  }, 30_000);
  afterAll(async () => {
    for (const name of Object.keys(awsCredentials)) delete process.env[name];
    folder?.close();
    client?.destroy();
    await aws?.close();
    await moto?.stop();
  });

  it('is refused at its opening where the bucket has no lock, or is not there', async () => {
    await expect(aws.openLocked(parseBucketPlace('s3://plain')!)).rejects.toMatchObject({ code: 'AWS_BUCKET_UNLOCKED' });
    await expect(aws.openLocked(parseBucketPlace('s3://nowhere')!)).rejects.toMatchObject({ code: 'AWS_REQUEST_REFUSED' });
  });

  it('keeps what is put, locked for everybody until its day, and says when the same is put again', async () => {
    expect(await folder.put('a/1', text('one'), terms)).toBe('stored');
    expect(await folder.put('a/1', text('one'), terms)).toBe('there');
    const kept = await folder.get('a/1', 100);
    expect(Buffer.from(kept?.bytes ?? []).toString()).toBe('one');
    expect(kept?.covered).toBe(false);
    expect(Date.parse(kept?.lockedUntil ?? '')).toBeGreaterThanOrEqual(Math.floor(tomorrow.getTime() / 1000) * 1000);
    const head = await client.send(new HeadObjectCommand({ Bucket: 'evidence', Key: 'logs/a/1' }));
    expect([head.ObjectLockMode, head.ContentType]).toEqual(['COMPLIANCE', 'text/plain']);
    expect(await folder.get('a/2', 100)).toBeUndefined();
    await expect(folder.get('a/1', 2)).rejects.toMatchObject({ code: 'AWS_OBJECT_DIFFERENT' });
  });

  it('never lays one thing over another', async () => {
    await folder.put('b', text('one'), terms);
    await expect(folder.put('b', text('two'), terms)).rejects.toMatchObject({ code: 'AWS_OBJECT_DIFFERENT' });
    await expect(folder.put('b', text('on'), terms)).rejects.toMatchObject({ code: 'AWS_OBJECT_DIFFERENT' });
    expect((await folder.get('b', 100))?.covered).toBe(false);
  });

  it('locks longer where the same is put for longer, and what somebody had put there without a lock', async () => {
    await folder.put('c', text('one'), terms);
    expect(await folder.put('c', text('one'), { ...terms, retainUntil: later })).toBe('there');
    const until = async (name: string): Promise<number> => Date.parse((await folder.get(name, 100))?.lockedUntil ?? '');
    expect(await until('c')).toBeGreaterThanOrEqual(Math.floor(later.getTime() / 1000) * 1000);
    await stranger('logs/d', { Body: 'one' });
    expect((await folder.get('d', 100))?.lockedUntil).toBeUndefined();
    expect(await folder.put('d', text('one'), terms)).toBe('there');
    expect(await until('d')).toBeGreaterThanOrEqual(Math.floor(tomorrow.getTime() / 1000) * 1000);
    // Governance can be lifted by who may: that is no lock.
    await stranger('logs/e', { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: tomorrow });
    expect((await folder.get('e', 100))?.lockedUntil).toBeUndefined();
  });

  it('gives what was put first, whatever was laid over it or deleted later, and says that it was', async () => {
    await folder.put('f/1', text('one'), terms);
    await stranger('logs/f/1');
    expect(Buffer.from((await folder.get('f/1', 100))!.bytes).toString()).toBe('one');
    await folder.put('f/2', text('two'), terms);
    await client.send(new DeleteObjectCommand({ Bucket: 'evidence', Key: 'logs/f/2' }));
    const hidden = await folder.get('f/2', 100);
    expect([Buffer.from(hidden!.bytes).toString(), hidden!.covered]).toEqual(['two', true]);
    expect((await folder.get('f/1', 100))?.covered).toBe(true);
    expect(await folder.list('f/')).toEqual(['f/1', 'f/2']);
    // Put again over the marker it is still the first that counts.
    expect(await folder.put('f/2', text('two'), terms)).toBe('there');
    await expect(folder.put('f/2', text('three'), terms)).rejects.toMatchObject({ code: 'AWS_OBJECT_DIFFERENT' });
  });

  it('holds the reports of a day, each locked for the days of the setting, and gives them although somebody laid others over them', async () => {
    const settings = parseSettings({
      ...{ BAUTA_AWS_REGION: region, BAUTA_AWS_S3_ENDPOINT: moto.behind },
      ...{ BAUTA_DAILY_REPORTS: 's3://evidence/daily', BAUTA_DAILY_REPORTS_LOCK_DAYS: '30' },
    });
    const made = mkdtempSync(join(tmpdir(), 'bauta-locked-reports-'));
    const papers = [
      { report: 'gdpr', format: 'html', name: 'gdpr.html', state: 'whole', bytes: 6, sha256: 'a'.repeat(64) },
      { report: 'soc2', format: 'zip', name: 'soc2.zip', state: 'whole', bytes: 3, sha256: 'b'.repeat(64) },
    ] as const;
    writeFileSync(join(made, 'gdpr.html'), '<html>');
    writeFileSync(join(made, 'soc2.zip'), 'zip');
    const order = { settings, below: 'default/2026-11-21' };
    const stored = await storeReports({ folder: made }, order, papers);
    expect(stored.folder).toMatch(/^default\/2026-11-21\/[0-9a-f]{16}$/);
    // Made again they are the same; other ones lie beside them.
    expect(await storeReports({ folder: made }, order, papers)).toEqual(stored);
    const store = await openReportStore(settings);
    try {
      for (const { name, bytes } of stored.files) {
        const Key = `daily/${stored.folder}/${name}`;
        const { ObjectLockMode, ObjectLockRetainUntilDate, ContentType } = await client.send(
          new HeadObjectCommand({ Bucket: 'evidence', Key }),
        );
        expect([name, ObjectLockMode]).toEqual([name, 'COMPLIANCE']);
        expect(ObjectLockRetainUntilDate!.getTime()).toBeGreaterThan(Date.now() + 29 * 86_400_000);
        expect(ContentType).toBe(toMediaType(name));
        await stranger(Key);
        const kept = Buffer.concat(await (await store.read(`${stored.folder}/${name}`, bytes)).toArray());
        expect([name, kept]).toEqual([name, readFileSync(join(made, name))]);
      }
      await expect(store.read(`${stored.folder}/another`, 9)).rejects.toMatchObject({ code: 'REPORT_STORE_UNREACHABLE' });
      writeFileSync(join(made, 'soc2.zip'), 'piz');
      await expect(store.put(`${stored.folder}/soc2.zip`, join(made, 'soc2.zip'))).rejects.toMatchObject({ code: 'AWS_OBJECT_DIFFERENT' });
    } finally {
      store.close();
      await closeStores(settings);
      rmSync(made, { recursive: true });
    }
  });

  it('holds what was collected about an incident, locked as long, once however often it is put there', async () => {
    const settings = parseSettings({
      ...{ BAUTA_AWS_REGION: region, BAUTA_AWS_S3_ENDPOINT: moto.behind },
      ...{ BAUTA_DAILY_REPORTS: 's3://evidence/daily', BAUTA_DAILY_REPORTS_LOCK_DAYS: '30' },
    });
    const bytes = Buffer.from('a package');
    const collected = { name: 'evidence.zip', bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
    const order = { settings, below: 'default/incidents/0123456789abcdef' };
    try {
      const { folder: at, files } = await storeBytes(order, collected);
      expect(await storeBytes(order, collected)).toEqual({ folder: at, files });
      expect(files.map(({ name }) => name)).toEqual(['evidence.zip', 'SHA256SUMS']);
      const Key = `daily/${at}/evidence.zip`;
      const { ObjectLockMode, ObjectLockRetainUntilDate } = await client.send(new HeadObjectCommand({ Bucket: 'evidence', Key }));
      expect([ObjectLockMode, ObjectLockRetainUntilDate!.getTime() > Date.now() + 29 * 86_400_000]).toEqual(['COMPLIANCE', true]);
      await stranger(Key);
      const store = await openReportStore(settings);
      expect(Buffer.concat(await (await store.read(`${at}/evidence.zip`, bytes.length)).toArray())).toEqual(bytes);
      store.close();
      // What another process collected about the same lies beside it.
      const other = { ...collected, bytes: Buffer.from('a packagf'), sha256: createHash('sha256').update('a packagf').digest('hex') };
      expect((await storeBytes(order, other)).folder).not.toBe(at);
    } finally {
      await closeStores(settings);
    }
  });

  it('lists more than one answer of S3 holds', async () => {
    const small = await aws.openLocked(parseBucketPlace('s3://evidence/logs')!, 3);
    for (let at = 0; at < 10; at += 1) await stranger(`logs/many/${at}`);
    await stranger('logs/many/0');
    expect(await small.list('many/')).toHaveLength(10);
    expect((await small.get('many/0', 100))?.covered).toBe(true);
    expect(await small.get('many/', 100)).toBeUndefined();
    small.close();
  });
});
