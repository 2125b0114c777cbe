// A policy that never ends, for one question or because of a pattern, costs nobody else his answer; and a newer bundle comes into force while decisions go on as
// quickly as before.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect } from '@jest/globals';

import type { Policy } from '../../src/pipeline/ports.js';
import { buildBundle, type BundleSource, fileSource, openPolicy } from '../../src/systems/opa/opa.js';
import { validDeployment } from './deploy-table.js';
import { itWithOpa } from './opa-binary.js';

let home: string;
beforeAll(() => void (home = mkdtempSync(join(tmpdir(), 'bauta-hostile-'))));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const trust = { key: undefined, unsignedReason: 'made in this test' };
async function build(name: string, rego: string, data = '{}'): Promise<string> {
  const folder = join(home, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'rule.rego'), `package bauta.deploy\n\nimport rego.v1\n\n${rego}`);
  writeFileSync(join(folder, 'data.json'), data);
  return (await buildBundle(folder, join(home, `${name}.tar.gz`), { revision: name })).file;
}
const open = (source: BundleSource, name: string, timeLimitMs = 60_000): Promise<Policy> =>
  openPolicy({ question: 'deploy', timeLimitMs, watch: true, user: { source, trust, folder: join(home, `kept-${name}`) } });
const about = (service: string): typeof validDeployment => ({
  ...validDeployment,
  request: { ...(validDeployment['request'] as object), service },
});
const tookMs = async (work: () => Promise<unknown>): Promise<number> => {
  const before = performance.now();
  await work();
  return performance.now() - before;
};

itWithOpa('a comprehension without an end, asked again and again, does not hold up who asks something else', async () => {
  const rule = `deny contains {"code": "BIG", "message": sprintf("%d", [n])} if {
	input.request.service == "hostile"
	n := count({[a, b, c] | some a in numbers.range(1, 4000); some b in numbers.range(1, 4000); some c in numbers.range(1, 4000); a + b == c * 7})
}
`;
  const policy = await open(fileSource(await build('endless', rule)), 'endless');
  try {
    await policy.decide(validDeployment);
    let ended = 0;
    const end = (): number => ended++;
    for (let n = 0; n < 3; n++) void policy.decide(about('hostile')).then(end, end);
    const waits: number[] = [];
    // They ask beside it all the time that it is at work.
    for (let n = 0; n < 40; n++) waits.push(await tookMs(async () => expect((await policy.decide(about(`web-${n}`))).allow).toBe(true)));
    expect(ended).toBe(0);
    waits.sort((one, other) => one - other);
    // Of a machine that three endless evaluations keep busy, too.
    expect(waits[20]).toBeLessThan(500);
  } finally {
    await policy.close();
  }
});

itWithOpa('who waits behind one of more such questions than there are threads is taken over when one of them has ended', async () => {
  const rule = `most := {"long": 60, "endless": 4000}

deny contains {"code": "BIG", "message": sprintf("%d", [n])} if {
	all := numbers.range(1, most[input.request.service])
	n := count({[a, b, c] | some a in all; some b in all; some c in all; a + b == c * 7})
}
`;
  const policy = await open(fileSource(await build('long', rule)), 'long');
  try {
    await policy.decide(validDeployment);
    let ended = 0;
    const end = (): number => ended++;
    const long = policy.decide(about('long'));
    for (let n = 0; n < 3; n++) void policy.decide(about('endless')).then(end, end);
    // Behind them from the beginning, and nobody asks after it.
    expect((await policy.decide(about('web'))).reasons).toEqual([]);
    expect((await long).reasons.map(({ code }) => code)).toEqual(['BIG']);
    expect(ended).toBe(0);
  } finally {
    await policy.close();
  }
});

itWithOpa('a pattern that takes other engines years takes time in proportion to the text', async () => {
  const rule = `deny contains {"code": "MATCHED", "message": "m"} if regex.match("^(a+)+$|^(a|aa)+$|(.*)*x$", input.request.service)\n`;
  const policy = await open(fileSource(await build('pattern', rule)), 'pattern');
  try {
    const ms = await tookMs(async () => expect((await policy.decide(about(`${'a'.repeat(20_000)}!`))).allow).toBe(true));
    expect(ms).toBeLessThan(3000);
    expect((await policy.decide(about('aaaa'))).reasons.map(({ code }) => code)).toEqual(['MATCHED']);
  } finally {
    await policy.close();
  }
});

itWithOpa('a newer bundle with much data is taken while decisions are made, and none of them waits for it', async () => {
  const rule = 'deny contains {"code": "LISTED", "message": "m"} if input.request.service in data.services\n';
  const many = (extra: string): string =>
    JSON.stringify({ services: [extra, ...Array.from({ length: 60_000 }, (_, n) => `service-${n}-of-many`)] });
  const paths = [await build('one', rule, many('web')), await build('two', rule, many('api'))];
  let at = 0;
  const held: (() => void)[] = [];
  const source: BundleSource = {
    holds: true,
    ask: async (etag, _, signal) => {
      if (etag === String(at)) {
        await new Promise<void>((resolve) => {
          held.push(resolve);
          signal?.addEventListener('abort', () => resolve());
        });
        if (signal?.aborted === true) return undefined;
      }
      return { bytes: readFileSync(paths[at] ?? ''), etag: String(at) };
    },
  };
  const policy = await open(source, 'reload');
  try {
    const waits: number[] = [];
    const round = async (): Promise<string> => {
      const before = performance.now();
      const { others = [] } = await policy.decide(validDeployment);
      waits.push(performance.now() - before);
      await new Promise((resolve) => setTimeout(resolve, 2));
      return others[0]?.revision ?? '';
    };
    for (let n = 0; n < 100; n++) expect(await round()).toBe('one');
    const calm =
      waits
        .splice(0)
        .sort((one, other) => one - other)
        .at(-3) ?? 0;
    const longest: number[] = [];
    for (const wanted of ['two', 'one', 'two', 'one']) {
      at = 1 - at;
      for (const go of held.splice(0)) go();
      for (let n = 0; n < 5000 && (await round()) !== wanted; n++);
      expect(await round()).toBe(wanted);
      longest.push(Math.max(...waits.splice(0)));
    }
    // 50 ms beside what decisions take here when nothing is read. What the reading does it does each time; the rest is the machine.
    expect(Math.min(...longest)).toBeLessThan(calm + 50);
  } finally {
    await policy.close();
  }
});
