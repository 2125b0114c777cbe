// `bauta doctor` asks the brokers that the settings name: whether they answer, take the login and keep rights.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { findKafka, shareKafka, type TestKafka } from '../support/kafka.js';
import { type Said, bauta } from '../support/tiny-source.js';

const jars = findKafka();
(jars ? describe : describe.skip)('bauta doctor', () => {
  let kafka: TestKafka;
  let home: string;
  beforeAll(async () => {
    kafka = await shareKafka(jars ?? '');
    home = mkdtempSync(join(tmpdir(), 'bauta-doctor-'));
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  const doctor = (url: string): Promise<Said> =>
    bauta(['doctor'], { env: { BAUTA_HOME: home, BAUTA_EVENTS_BROKER: 'env:BROKER', BROKER: url }, cwd: home });

  it('says how the broker of events is spoken to', async () => {
    const { exitCode, stdout } = await doctor(kafka.login('service'));
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^ok +events +answers \(TLS, scram-sha-512\), \d+ topics/m)]);
  });

  it('says what is wrong with it, without its password', async () => {
    const { exitCode, stdout, stderr } = await doctor(kafka.login('service').replace(kafka.passwords.service, 'canary'));
    expect([exitCode, stdout]).toEqual([3, expect.stringMatching(/^FAIL events +failed\n.*env:BROKER refused the login/m)]);
    expect(stdout + stderr).not.toContain('canary');
  });
});
