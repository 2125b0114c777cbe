// A decision is taken again from its record alone: the same policies, the time and the id of the record, the same answer.
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { replayDecision } from '../../src/cli/decisions.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { type DecisionRecord, decide, toDecisionRecord } from '../../src/pipeline/gate/gate.js';
import { keepDecision } from '../../src/systems/files/files.js';
import { fileSource, openPolicy } from '../../src/systems/opa/opa.js';
import { itWithOpa, runOpa } from './opa-binary.js';
import { columns, question } from './question.js';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'bauta-replay-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const recordOf = (id: string): DecisionRecord => JSON.parse(readFileSync(join(home, 'decisions', `${id}.json`), 'utf8')) as DecisionRecord;
const change = (id: string, over: Partial<DecisionRecord>): void =>
  writeFileSync(join(home, 'decisions', `${id}.json`), JSON.stringify({ ...recordOf(id), ...over }));

it('gives the same answer for an allow and for a denial, and says so when the record was changed', async () => {
  const policy = await openPolicy();
  try {
    for (const input of [question(), columns({ tag: 'pii.mail' })]) {
      const decision = await decide(policy, input);
      await keepDecision(home, toDecisionRecord(decision, input, { atMs: 5, metrics: { timer_server_handler_ns: 7 } }));
      const record = recordOf(decision.decisionId);
      // OPA's own form, so that its tools can read it.
      expect(record).toMatchObject({
        decision_id: decision.decisionId,
        path: 'gate/provision/decision',
        timestamp: '1970-01-01T00:00:00.005Z',
        bundles: { bauta: decision.policy.revision.length > 0 ? { revision: decision.policy.revision } : {} },
        metrics: { timer_server_handler_ns: 7 },
      });
      expect(await replayDecision({ home, id: decision.decisionId })).toBe(0);
      change(decision.decisionId, { result: { allow: !decision.allow, reasons: [] } });
      expect(await replayDecision({ home, id: decision.decisionId })).toBe(1);
      change(decision.decisionId, { labels: { ...record.labels, policy_digest: 'sha256:other' } });
      await expect(replayDecision({ home, id: decision.decisionId })).rejects.toMatchObject({ code: 'DECISION_POLICY_DIFFERS' });
    }
    await expect(replayDecision({ home, id: '00000000-0000-4000-8000-000000000000' })).rejects.toMatchObject({ code: 'DECISION_UNKNOWN' });
    await expect(replayDecision({ home, id: '../../../etc/passwd' })).rejects.toMatchObject({ code: 'DECISION_UNKNOWN' });
  } finally {
    await policy.close();
  }
});

itWithOpa('asks the bundle that is kept, which sees the time and the random numbers of then', async () => {
  const pair = generateKeyPairSync('ed25519');
  const [privateKey, publicKey] = [join(home, 'key.pem'), join(home, 'pub.pem')];
  writeFileSync(privateKey, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(publicKey, pair.publicKey.export({ type: 'spki', format: 'pem' }));
  const rego = `package bauta.provision

import rego.v1

deny contains {"code": "SEEN", "message": sprintf("%s at %d", [uuid.rfc4122("x"), time.now_ns()])}
`;
  mkdirSync(join(home, 'rules'));
  writeFileSync(join(home, 'rules', 'rule.rego'), rego);
  const capabilities = packageFile('policies', 'capabilities.json');
  const archive = join(home, 'bundle.tar.gz');
  const words = ['build', '-t', 'wasm', '-e', 'bauta/provision/deny', '--capabilities', capabilities, '-b', join(home, 'rules')];
  expect(runOpa([...words, '--signing-key', privateKey, '--signing-alg', 'EdDSA', '-o', archive]).status).toBe(0);
  const trust = { key: readFileSync(publicKey, 'utf8'), unsignedReason: '' };
  const policy = await openPolicy({ user: { source: fileSource(archive), trust, folder: join(home, 'policy') } });
  const decision = await decide(policy, question());
  await policy.close();
  expect(decision.reasons.map(({ code }) => code)).toEqual(['SEEN']);
  await keepDecision(home, toDecisionRecord(decision, question(), { atMs: 5 }));
  const before = process.env['BAUTA_POLICY_KEY'];
  process.env['BAUTA_POLICY_KEY'] = `file:${publicKey}`;
  try {
    expect(await replayDecision({ home, id: decision.decisionId })).toBe(0);
    // The id is what the numbers come from: under another one they are others.
    cpSync(join(home, 'decisions', `${decision.decisionId}.json`), join(home, 'decisions', '11111111-1111-4111-8111-111111111111.json'));
    change('11111111-1111-4111-8111-111111111111', { decision_id: '11111111-1111-4111-8111-111111111111' });
    expect(await replayDecision({ home, id: '11111111-1111-4111-8111-111111111111' })).toBe(1);
  } finally {
    if (before === undefined) delete process.env['BAUTA_POLICY_KEY'];
    else process.env['BAUTA_POLICY_KEY'] = before;
  }
});
