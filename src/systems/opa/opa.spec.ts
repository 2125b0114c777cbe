import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { digestBytes } from '../../kernel/digest.js';
import { packageFile } from '../../kernel/package-root.js';
import { decide } from '../../pipeline/gate/gate.js';
import type { Policy } from '../../pipeline/ports.js';
import { openPolicy } from './opa.js';

let scratch: string;
const open: Policy[] = [];
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'bauta-opa-'));
});
afterEach(async () => {
  for (const policy of open.splice(0)) await policy.close();
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const use = async (folder: string, timeLimitMs?: number): Promise<Policy> => {
  const policy = await openPolicy({ folder, ...(timeLimitMs === undefined ? {} : { timeLimitMs }) });
  open.push(policy);
  return policy;
};

describe('the committed bundle', () => {
  const copy = (name: string): string => {
    const folder = join(scratch, name);
    cpSync(packageFile('policies'), folder, { recursive: true });
    return folder;
  };

  it('is loaded, names its revision, and denies an empty question with reasons', async () => {
    const policy = await use(packageFile('policies'));
    const decision = await policy.decide({});
    expect(decision.allow).toBe(false);
    expect(decision.reasons.length).toBeGreaterThan(0);
    expect(decision.policy).toEqual(policy.bundle);
    expect(decision.decisionId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is refused when the wasm, a rule or the manifest is another', async () => {
    const changes: readonly (readonly [string, string, string])[] = [
      ['wasm', 'provision.wasm', 'POLICY_DIGEST_DIFFERS'],
      ['rule', 'columns/keep/keep.rego', 'POLICY_DIGEST_DIFFERS'],
      ['manifest', 'manifest.json', 'POLICY_DIGEST_DIFFERS'],
      ['added', 'columns/more/more.rego', 'POLICY_DIGEST_DIFFERS'],
    ];
    for (const [name, file, code] of changes) {
      const folder = copy(name);
      mkdirSync(join(folder, file, '..'), { recursive: true });
      writeFileSync(join(folder, file), 'package columns.more\n');
      await expect(openPolicy({ folder })).rejects.toMatchObject({ code });
    }
  });

  it('is refused when a file is missing', async () => {
    const folder = copy('gone');
    rmSync(join(folder, 'key'), { recursive: true });
    await expect(openPolicy({ folder })).rejects.toMatchObject({
      code: 'POLICY_MISSING',
      where: { file: 'policies/key/version/version.rego' },
    });
  });

  it('gives all reasons for two thousand columns of which each is wrong in many ways, in time that grows as they do', async () => {
    const policy = await use(packageFile('policies'), 60_000);
    const column = { table: 't', transform: 'email', tag: 'pii.email', path: null, component: 0, unique: true, uniqueness: 'preserved' };
    const tookMs = async (size: number): Promise<number> => {
      const columns = Array.from({ length: size }, (_, position) => ({ ...column, column: `c${position}` }));
      const before = performance.now();
      expect((await policy.decide({ columns })).reasons.length).toBeGreaterThan(5 * size);
      return performance.now() - before;
    };
    // The shortest of some, of a machine that does other things too. Of each with each it would be sixty-four times as much.
    const shortest = async (size: number): Promise<number> => Math.min(await tookMs(size), await tookMs(size), await tookMs(size));
    expect((await shortest(2000)) / (await shortest(250))).toBeLessThan(32);
  });
});

describe('a hostile bundle', () => {
  /** A wasm with OPA's ABI whose evaluation is the given AssemblyScript, in a folder whose manifest fits it. */
  const build = async (name: string, evaluation: string, result = 'set()', builtins = '{}'): Promise<string> => {
    // Compiled once per evaluation: the JSON that it answers is written over spaces of the compiled module.
    const template = (compiledOf[evaluation] ??= compile(evaluation));
    const binary = Buffer.from(await template);
    for (const [mark, text] of [
      ['R', result],
      ['B', builtins],
    ] as const) {
      const at = binary.indexOf(mark.repeat(room));
      binary.write(text.padEnd(room), at, 'latin1');
    }
    const folder = join(scratch, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'provision.wasm'), binary);
    writeFileSync(join(folder, 'some.rego'), 'package some\n');
    const wasm = { path: 'policies/provision.wasm', digest: digestBytes(binary) };
    const sources = { 'policies/some.rego': digestBytes('package some\n') };
    writeFileSync(
      join(folder, 'manifest.json'),
      JSON.stringify({ revision: name, entrypoints: ['gate/provision/decision'], wasm, sources }),
    );
    return folder;
  };
  /** As the module says a set of results. */
  const toSet = (results: readonly object[]): string =>
    results.length === 0 ? 'set()' : `{${results.map((one) => JSON.stringify(one)).join(',')}}`;
  const room = 200;
  const compiledOf: Record<string, Promise<Uint8Array>> = {};
  const compile = async (evaluation: string): Promise<Uint8Array> => {
    const bytes = (text: string): string => [...Buffer.from(`${text}\0`)].join(',');
    const source = `
      export const opa_wasm_abi_version: i32 = 1;
      export const opa_wasm_abi_minor_version: i32 = 3;
      const builtinsAt = memory.data<u8>([${bytes('B'.repeat(room))}]);
      const entriesAt = memory.data<u8>([${bytes('{"gate/provision/decision":0}')}]);
      const resultAt = memory.data<u8>([${bytes('R'.repeat(room))}]);
      export function builtins(): usize { return builtinsAt; }
      export function entrypoints(): usize { return entriesAt; }
      export function opa_json_dump(at: usize): usize { return at; }
      export function opa_value_dump(at: usize): usize { return at; }
      export function opa_value_parse(at: usize, length: usize): usize { return at; }
      export function opa_malloc(length: usize): usize { return 65536; }
      export function opa_heap_ptr_get(): usize { return 131072; }
      export function opa_eval(a: usize, b: i32, c: usize, d: usize, e: i32, f: usize, g: i32): usize { ${evaluation} }`;
    // By a name that the compiler does not follow: AssemblyScript's types declare globals of their own.
    const name: string = 'assemblyscript/asc';
    interface Compiler {
      compileString(source: string, options: object): Promise<{ error: Error | null; binary: Uint8Array | null }>;
    }
    const { default: asc } = (await import(name)) as { default: Compiler };
    const compiled = await asc.compileString(source, { importMemory: true, runtime: 'stub', optimizeLevel: 0, use: ['abort='] });
    if (compiled.error || compiled.binary === null) throw new Error('the hostile source does not compile');
    return compiled.binary;
  };
  const undecided = { allow: false, reasons: expect.arrayContaining([expect.objectContaining({ code: 'GATE_UNDECIDED' })]) as unknown };

  it('that never ends is killed, the answer is no, and the next question gets a new thread', async () => {
    const policy = await use(await build('endless', 'while (true) {}'), 300);
    for (let round = 0; round < 2; round++) {
      await expect(policy.decide({ a: 1 })).rejects.toMatchObject({ code: 'POLICY_TIMEOUT' });
      expect(await decide(policy, { a: 1 })).toMatchObject({ ...undecided, policy: { revision: 'endless' } });
    }
  });

  it('that traps is a no', async () => {
    const policy = await use(await build('trap', 'unreachable(); return 0;'));
    await expect(policy.decide({})).rejects.toMatchObject({ code: 'POLICY_UNUSABLE' });
    expect(await decide(policy, {})).toMatchObject(undecided);
  });

  const reason = { code: 'X', controlIds: ['C'], message: 'm', hint: 'h' };
  it.each([
    ['nothing', []],
    ['two results', [{ result: { allow: true, reasons: [] } }, { result: { allow: true, reasons: [1] } }]],
    ['a bare yes', [{ result: true }]],
    ['a yes in letters', [{ result: { allow: 'true', reasons: [] } }]],
    ['a yes without the list of reasons', [{ result: { allow: true } }]],
    ['a yes with reasons', [{ result: { allow: true, reasons: [reason] } }]],
    ['a no without reasons', [{ result: { allow: false, reasons: [] } }]],
    ['a reason without a code', [{ result: { allow: false, reasons: [{ ...reason, code: 1 }] } }]],
  ])('that answers %s is a no', async (name, result) => {
    const policy = await use(await build(`answers ${name}`, 'return resultAt;', toSet(result)));
    await expect(policy.decide({})).rejects.toMatchObject({ code: result.length === 0 ? 'POLICY_UNDEFINED' : 'POLICY_ANSWER_UNUSABLE' });
    expect(await decide(policy, {})).toMatchObject(undecided);
  });

  it('that answers as it should is heard, so that the tests above fail for their own reasons', async () => {
    const policy = await use(await build('fine', 'return resultAt;', toSet([{ result: { allow: true, reasons: [] } }])));
    expect(await policy.decide({})).toMatchObject({ allow: true, reasons: [], policy: { revision: 'fine' } });
  });

  it.each([
    ['http.send', 'POLICY_BUILTIN_OFF'],
    ['opa.runtime', 'POLICY_BUILTIN_OFF'],
    ['rand.intn', 'POLICY_BUILTIN_OFF'],
    ['net.lookup_ip_addr', 'POLICY_BUILTIN_OFF'],
    ['no.such.function', 'POLICY_BUILTIN_MISSING'],
  ])('that needs %s does not load, and the function is named', async (name, code) => {
    const asking = await build(`asking ${name}`, 'return resultAt;', 'set()', JSON.stringify({ [name]: 1 }));
    await expect(openPolicy({ folder: asking })).rejects.toMatchObject({ code, where: { name } });
  });

  it('costs nobody else an answer: who waited behind an endless question is asked again', async () => {
    // Endless for the question that is a text of one letter, else as it should be.
    const evaluation = 'if (f - d < 20) { while (true) {} } return resultAt;';
    const policy = await use(await build('sometimes', evaluation, toSet([{ result: { allow: true, reasons: [] } }])), 500);
    const fine = { padding: 'x'.repeat(100) };
    const endless = expect(policy.decide({ a: 1 })).rejects.toMatchObject({ code: 'POLICY_TIMEOUT' });
    const others = await Promise.all(Array.from({ length: 20 }, () => policy.decide(fine)));
    await endless;
    expect(others.every(({ allow }) => allow)).toBe(true);
  });

  it('that is no wasm does not load', async () => {
    const broken = await build('broken', 'return resultAt;');
    writeFileSync(join(broken, 'provision.wasm'), 'no wasm');
    const manifest = JSON.parse(await readFile(join(broken, 'manifest.json'), 'utf8')) as { wasm: { digest: string } };
    manifest.wasm.digest = digestBytes('no wasm');
    writeFileSync(join(broken, 'manifest.json'), JSON.stringify(manifest));
    await expect(openPolicy({ folder: broken })).rejects.toMatchObject({ code: 'POLICY_UNUSABLE' });
  });

  it('answers nobody once it is closed', async () => {
    const policy = await openPolicy({ folder: await build('closing', 'while (true) {}'), timeLimitMs: 60_000 });
    const waiting = policy.decide({});
    const rejected = expect(waiting).rejects.toMatchObject({ code: 'POLICY_UNUSABLE' });
    await policy.close();
    await rejected;
  });
});
