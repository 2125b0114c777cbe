// Bundles of users' own, made and signed by the `opa` program: what is taken, what is refused, and how a newer one comes into force.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { decide } from '../../src/pipeline/gate/gate.js';
import type { Policy } from '../../src/pipeline/ports.js';
import { type BundleSource, type Refused, fileSource, httpSource, openPolicy, type Send } from '../../src/systems/opa/opa.js';
import { itWithOpa, runOpa } from './opa-binary.js';
import { question } from './question.js';

let home: string;
let key: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'bauta-bundle-'));
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  key = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string;
  writeFileSync(join(home, 'key.pem'), pair.privateKey.export({ type: 'pkcs1', format: 'pem' }));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const entrypoint = 'bauta/provision/deny';
const rule = `package bauta.provision

import rego.v1

deny contains reason if {
	input.environment in data.closed
	reason := {"code": "ENVIRONMENT_CLOSED", "controlIds": ["OWN-1"], "message": sprintf("%s is closed until %v", [input.environment, data.until]), "hint": "ask the owner"}
}

deny contains reason if {
	time.weekday(time.now_ns()) == "Saturday"
	data.rest
	reason := {"code": "NOT_ON_SATURDAY", "message": "nobody works today"}
}
`;
const data = '{"closed": ["test-1"], "until": 12345678901234567890, "rest": false, "odd": [1.0, 1e3, 0.10, "<é>\\u2028"]}';

/** An archive by `opa build`; unsigned without a key. */
function build(
  name: string,
  options: { rego?: string; data?: string; signed?: boolean; target?: string; entrypoint?: string } = {},
): string {
  const folder = join(home, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'rule.rego'), options.rego ?? rule);
  writeFileSync(join(folder, 'data.json'), options.data ?? data);
  const archive = join(home, `${name}.tar.gz`);
  const signing = options.signed === false ? [] : ['--signing-key', join(home, 'key.pem')];
  const target = ['-t', options.target ?? 'wasm', ...(options.target === 'rego' ? [] : ['-e', options.entrypoint ?? entrypoint])];
  const capabilities = options.target === 'rego' ? [] : ['--capabilities', packageFile('policies', 'capabilities.json')];
  const { status } = runOpa(['build', ...target, ...capabilities, '-b', folder, ...signing, '-r', name, '-o', archive]);
  expect(status).toBe(0);
  return archive;
}

const trust = (over: { key?: string | undefined; unsignedReason?: string } = {}): { key: string | undefined; unsignedReason: string } => ({
  unsignedReason: '',
  key,
  ...over,
});
let kept = 0;
async function withPolicy<T>(
  source: BundleSource,
  use: (policy: Policy) => Promise<T>,
  options: { trust?: ReturnType<typeof trust>; folder?: string; onRefused?: (refused: Refused) => void; watch?: boolean } = {},
): Promise<T> {
  const { onRefused } = options;
  const folder = options.folder ?? join(home, `kept-${kept++}`);
  const user = { source, folder, trust: options.trust ?? trust(), ...(onRefused === undefined ? {} : { onRefused }) };
  const policy = await openPolicy({ user, timeLimitMs: 20_000, watch: options.watch === true });
  try {
    return await use(policy);
  } finally {
    await policy.close();
  }
}
const open = (path: string, over?: ReturnType<typeof trust>): Promise<unknown> =>
  withPolicy(fileSource(path), () => Promise.resolve(), over === undefined ? {} : { trust: over });
/** The archive with bytes of its tar changed; the tar's own checksums are of headers only. */
function tamper(path: string, from: string, to: string): string {
  const changed = `${path}.changed.tar.gz`;
  const tar = gunzipSync(readFileSync(path));
  const at = tar.indexOf(from);
  expect(at).toBeGreaterThan(0);
  tar.write(to, at, 'latin1');
  writeFileSync(changed, gzipSync(tar));
  return changed;
}

describe('a signed bundle of one’s own', () => {
  itWithOpa('adds reasons against a plan, with numbers as they were written, and stands in the decision', async () => {
    await withPolicy(fileSource(build('first')), async (policy) => {
      const closed = await policy.decide(question());
      expect(closed.allow).toBe(false);
      expect(closed.reasons).toEqual([
        {
          code: 'ENVIRONMENT_CLOSED',
          controlIds: ['OWN-1'],
          message: 'test-1 is closed until 12345678901234567890',
          hint: 'ask the owner',
        },
      ]);
      expect(closed.others).toEqual([{ name: 'user', revision: 'first', digest: expect.stringMatching(/^sha256:/) as unknown }]);
      const both = await policy.decide(question({ purpose: 'x', key: { version: 2, expiresAtMs: null } }));
      expect(both.reasons.map(({ code }) => code)).toEqual(['ENVIRONMENT_CLOSED', 'KEY_VERSION_DIFFERS']);
    });
  });

  itWithOpa('cannot allow what the rules of this release deny', async () => {
    await withPolicy(fileSource(build('silent', { data: '{"closed": [], "rest": false}' })), async (policy) => {
      expect((await policy.decide(question())).allow).toBe(true);
      expect((await policy.decide({})).allow).toBe(false);
    });
  });

  itWithOpa('sees the time of the question as now', async () => {
    await withPolicy(fileSource(build('saturday', { data: '{"closed": [], "rest": true}' })), async (policy) => {
      const codes = async (nowMs: number): Promise<string[]> => (await policy.decide(question({ nowMs }))).reasons.map(({ code }) => code);
      expect(await codes(Date.UTC(2026, 10, 21, 12))).toEqual(['NOT_ON_SATURDAY']);
      expect(await codes(Date.UTC(2026, 10, 23, 12))).toEqual([]);
    });
  });
});

describe('what is refused', () => {
  itWithOpa('is a bundle that is not signed, unless a reason is given, or signed where no key is set', async () => {
    const unsigned = build('unsigned', { signed: false });
    await expect(open(unsigned)).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNSIGNED' });
    await expect(open(unsigned, trust({ key: undefined }))).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNSIGNED' });
    await open(unsigned, trust({ key: undefined, unsignedReason: 'built on this very machine' }));
    const signed = build('signed');
    await expect(open(signed, trust({ key: undefined, unsignedReason: 'any' }))).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNSIGNED' });
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }) as string;
    await expect(open(signed, trust({ key: other }))).rejects.toMatchObject({ code: 'POLICY_BUNDLE_SIGNATURE' });
    await expect(open(signed, trust({ key: 'no key' }))).rejects.toMatchObject({ code: 'POLICY_KEY_UNUSABLE' });
  });

  itWithOpa('is one that was changed after signing: data, a rule, the manifest', async () => {
    const path = build('whole');
    const refused = (changed: string): Promise<void> => expect(open(changed)).rejects.toMatchObject({ code: 'POLICY_BUNDLE_SIGNATURE' });
    await refused(tamper(path, '"test-1"', '"test-2"'));
    await refused(tamper(path, 'nobody works', 'nobody sleep'));
    await refused(tamper(path, '"revision":"whole"', '"revision":"whale"'));
    // 1.0 is not 1.1, and not 1 with a zero less either.
    await refused(tamper(path, '[1.0,', '[1  ,'));
  });

  itWithOpa('is one without a compiled policy, with the command to run; or without the entrypoint', async () => {
    await expect(open(build('rego', { target: 'rego' }))).rejects.toMatchObject({
      code: 'POLICY_BUNDLE_WITHOUT_WASM',
      hint: expect.stringContaining('opa build -t wasm -e bauta/provision/deny') as unknown,
    });
    const named = build('named', { rego: 'package other\n\nimport rego.v1\n\ndeny contains "x" if false\n', entrypoint: 'other/deny' });
    await expect(open(named)).rejects.toMatchObject({ code: 'POLICY_BUNDLE_ENTRYPOINT' });
  });

  it('is what is no archive, unpacks to too much, or leaves its folder', async () => {
    const refuses = async (name: string, bytes: Buffer): Promise<void> => {
      writeFileSync(join(home, name), bytes);
      await expect(open(join(home, name))).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNREADABLE' });
    };
    await refuses('none', Buffer.from('no gzip'));
    await refuses('empty', gzipSync(Buffer.alloc(0)));
    await refuses('bomb', gzipSync(Buffer.alloc(130 * 1024 * 1024)));
    for (const path of ['../evil', 'a/../../b', 'a//b', 'a\\b']) await refuses('path', gzipSync(tarOf(path, '0')));
    for (const type of ['1', '2', '3', '6']) await refuses('link', gzipSync(tarOf('a', type)));
    await refuses('twice', gzipSync(Buffer.concat([tarOf('a', '0').subarray(0, 1024), tarOf('a', '0')])));
    await refuses('cut', gzipSync(tarOf('a', '0').subarray(0, 700)));
    await expect(open(join(home, 'nowhere'))).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNREACHABLE' });
  });

  itWithOpa('is an answer that is no list of reasons, and then nothing is decided', async () => {
    const rego = 'package bauta.provision\n\nimport rego.v1\n\ndeny contains 1 if input.pipeline\n';
    await withPolicy(fileSource(build('odd', { rego })), async (policy) => {
      await expect(policy.decide(question())).rejects.toMatchObject({ code: 'POLICY_ANSWER_UNUSABLE' });
      expect((await decide(policy, question())).reasons.map(({ code }) => code)).toEqual(['GATE_UNDECIDED', 'POLICY_ANSWER_UNUSABLE']);
    });
    const conflict = 'package bauta.provision\n\nimport rego.v1\n\ndeny := 1 if input.pipeline\n\ndeny := 2 if input.environment\n';
    await withPolicy(fileSource(build('conflict', { rego: conflict })), async (policy) => {
      await expect(policy.decide(question())).rejects.toMatchObject({ code: 'POLICY_CONFLICT' });
    });
    const undefinedRule = 'package bauta.provision\n\nimport rego.v1\n\ndeny := [] if input.no.such.member\n';
    await withPolicy(fileSource(build('undefined', { rego: undefinedRule })), async (policy) => {
      await expect(policy.decide(question())).rejects.toMatchObject({ code: 'POLICY_UNDEFINED' });
    });
  });
});

describe('a server of bundles', () => {
  /** As OPA's bundle API: etags, 304, and holding the question. */
  class Server {
    bytes = Buffer.alloc(0);
    etag = '';
    asked = 0;
    failing = false;
    readonly #held: (() => void)[] = [];
    readonly send: Send = async ({ headers = {}, signal }) => {
      this.asked++;
      if (this.failing) return { status: 500, headers: {}, body: Buffer.alloc(0) };
      const type = { 'content-type': 'application/vnd.openpolicyagent.bundles' };
      const isSame = (): boolean => headers['If-None-Match'] === this.etag;
      if (isSame() && /wait=/.test(headers['Prefer'] ?? '')) {
        await new Promise<void>((resolve) => {
          this.#held.push(resolve);
          signal?.addEventListener('abort', () => resolve());
        });
      }
      if (isSame()) return { status: 304, headers: type, body: Buffer.alloc(0) };
      return { status: 200, headers: { ...type, etag: this.etag }, body: this.bytes };
    };

    serve(path: string, etag: string): void {
      [this.bytes, this.etag] = [readFileSync(path), etag];
      for (const go of this.#held.splice(0)) go();
    }
  }

  const codes = async (policy: Policy): Promise<string[]> => (await policy.decide(question())).reasons.map(({ code }) => code);
  const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
    for (let round = 0; !(await holds()); round++) {
      expect(round).toBeLessThan(600);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  itWithOpa('gives a newer bundle while decisions are asked for, and none of them is lost', async () => {
    const server = new Server();
    server.serve(build('open', { data: '{"closed": [], "rest": false}' }), '"1"');
    const closing = build('closing');
    const source = httpSource('https://bundles.example/b', server.send);
    await withPolicy(
      source,
      async (policy) => {
        expect(await codes(policy)).toEqual([]);
        const answers: Promise<string[]>[] = [];
        const asking = setInterval(() => answers.push(codes(policy)), 2);
        server.serve(closing, '"2"');
        await until(async () => (await codes(policy)).length > 0);
        clearInterval(asking);
        const all = await Promise.all(answers);
        expect(new Set(all.map((one) => one.join()))).toEqual(new Set(['', 'ENVIRONMENT_CLOSED']));
      },
      { watch: true },
    );
  });

  itWithOpa('that gives a broken or unsigned bundle is told, and the one before stays in force', async () => {
    const server = new Server();
    server.serve(build('good'), '"1"');
    const told: [string, string][] = [];
    const onRefused = ({ error, inForce }: Refused): void => void told.push([error.code, inForce.revision]);
    await withPolicy(
      httpSource('https://bundles.example/b', server.send),
      async (policy) => {
        server.serve(build('forged', { signed: false, data: '{"closed": [], "rest": false}' }), '"2"');
        await until(() => told.length > 0);
        expect(told[0]).toEqual(['POLICY_BUNDLE_UNSIGNED', 'good']);
        expect(await codes(policy)).toEqual(['ENVIRONMENT_CLOSED']);
      },
      { onRefused, watch: true },
    );
  });

  itWithOpa('that is away is told, and the bundle kept from before is in force; without one nothing opens', async () => {
    const server = new Server();
    server.serve(build('kept'), '"7"');
    const source = httpSource('https://bundles.example/b', server.send);
    const folder = join(home, 'kept-folder');
    await withPolicy(source, codes, { folder });
    const before = server.asked;
    // Asked by its etag, the server says that nothing is new.
    await withPolicy(source, async (policy) => expect(await codes(policy)).toEqual(['ENVIRONMENT_CLOSED']), { folder });
    expect(server.asked).toBe(before + 1);
    server.failing = true;
    const told: string[] = [];
    const onRefused = ({ error }: Refused): void => void told.push(error.code);
    await withPolicy(source, async (policy) => expect(await codes(policy)).toEqual(['ENVIRONMENT_CLOSED']), { folder, onRefused });
    expect(told).toEqual(['POLICY_BUNDLE_UNREACHABLE']);
    await expect(withPolicy(source, codes)).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNREACHABLE' });
    // What is kept is looked at like any other.
    writeFileSync(join(folder, 'bundle.tar.gz'), readFileSync(tamper(join(folder, 'bundle.tar.gz'), '"test-1"', '"test-2"')));
    await expect(withPolicy(source, codes, { folder })).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNREACHABLE' });
  });
});

/** One file of a tar, with its checksum. */
function tarOf(path: string, type: string): Buffer {
  const tar = Buffer.alloc(2048);
  tar.write(path, 0);
  tar.write('00000000003\0', 124);
  tar.write('        ', 148);
  tar.write(type, 156);
  tar.write('ustar\0', 257);
  tar.write('abc', 512);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return tar;
}
