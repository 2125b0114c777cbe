import { afterEach, describe, expect, it } from '@jest/globals';

import type { Batch } from '../../src/pipeline/batch.js';
import { createMaskExecutor, type MaskExecutor, type PreparedMask, prepareMask } from '../../src/pipeline/mask/mask.js';
import { MaskPool } from '../../src/threads/pool.js';
import { createMaskPool } from '../../src/threads/threads.js';
import type { RulePlan } from '../../src/pipeline/plan.js';
import { createTestKeys, toBatch, toHidden, toPlan, toRule, toType } from '../support/mask-plan.js';

const fixed = { ...toRule('fixed', { params: { value: 'a\tb' } }), tag: 'pii.test' };
const paths: NonNullable<RulePlan['paths']> = { 'a.b': fixed, 'n[]': { ...toRule('keep'), tag: 'none' } };
const plan = toPlan(
  [
    { name: 'id', type: toType('int8') },
    { name: 'name', rule: fixed },
    { name: 'gone', rule: toRule('null') },
    { name: 'doc', type: toType('jsonb'), rule: toRule('keep', { paths, rest: 'refuse' }) },
    { name: 'mail', rule: toRule('email', { domain: 'pii.email' }) },
    { name: 'first', rule: toRule('first-name', { domain: 'pii.name.first', scope: 'subject' }) },
    { name: 'card', rule: toRule('pan', { domain: 'pci.pan' }) },
    { name: 'notes', rule: toRule('replace', { domain: 'pii.free-text', scope: 'row' }) },
  ],
  [toHidden('subject', 'person_id'), toHidden('row', 'id')],
);

function toLines(number: number): string {
  const toLine = (i: number): string => {
    const masked = `u${number * 50 + i}@corp.org\tAnna\t${4000000000000002 + i * 10000}\tCalled Anna\\n${i}`;
    const person = i % 5 === 0 ? '\\N' : String(i % 7);
    return `${number * 50 + i}\tAnna\tx\t{"a": {"b": "secret ${i}"}, "n": [${i}]}\t${masked}\t${person}\t${number * 50 + i}\n`;
  };
  return Array.from({ length: 50 }, (_, i) => toLine(i)).join('');
}

const batches = (): Batch[] => Array.from({ length: 40 }, (_, sequence) => toBatch(toLines(sequence), { sequence, range: sequence % 3 }));
const digest = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const open: MaskExecutor[] = [];
afterEach(() => Promise.all(open.splice(0).map((executor) => executor.close())));
function track<E extends MaskExecutor>(executor: E): E {
  open.push(executor);
  return executor;
}
const prepare = (): Promise<PreparedMask> => prepareMask(plan, createTestKeys());

async function maskAll(executor: MaskExecutor): Promise<string[]> {
  return (await Promise.all(batches().map((batch) => executor.mask(batch)))).map(({ bytes }) => digest(bytes));
}

/** What every MaskExecutor promises. */
function describeContract(name: string, create: (prepared: PreparedMask) => MaskExecutor, width: number): void {
  describe(`${name} as a MaskExecutor`, () => {
    it('answers each batch with its own masked lines and its place', async () => {
      const executor = track(create(await prepare()));
      expect(executor.width).toBe(width);
      const masked = await Promise.all(batches().map((batch) => executor.mask(batch)));
      masked.forEach(({ table, range, sequence, rows, bytes }, i) => {
        expect({ table, range, sequence, rows }).toEqual({ table: 0, range: i % 3, sequence: i, rows: 50 });
        expect(digest(bytes)).toContain(`${i * 50}\ta\\tb\t\\N\t{"a": {"b": "a\\\\tb"}, "n": [0]}\t`);
        expect(digest(bytes)).not.toMatch(/secret|corp\.org|Called Anna/);
      });
    });

    it('gives the same bytes per batch as the calling thread', async () => {
      expect(await maskAll(track(create(await prepare())))).toEqual(await maskAll(track(createMaskExecutor(await prepare()))));
    });

    it('takes bytes that are a part of a larger buffer and leaves the rest of that alone', async () => {
      const executor = track(create(await prepare()));
      const whole = Buffer.from(`before${toLines(1)}after`);
      const { bytes } = await executor.mask({ table: 0, range: 0, sequence: 0, bytes: whole.subarray(6, whole.length - 5) });
      expect(digest(bytes)).toContain('50\ta\\tb');
      expect(digest(whole.subarray(0, 6)) + digest(whole.subarray(-5))).toBe('beforeafter');
    });

    it('rejects a batch with coordinates and never with a value, and goes on with the next', async () => {
      const executor = track(create(await prepare()));
      const bad = toBatch('1\tx\ty\t{"a": {"anna@x.com": 1}}\tm\tf\t4000000000000002\tn\t1\t1\n', { sequence: 4 });
      const error: unknown = await executor.mask(bad).catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: 'MASK_PATH_UNLISTED',
        class: 'DataError',
        where: { schema: 'public', table: 'person', column: 'doc', path: 'a.*', row: 1, batch: 5, range: 1 },
      });
      expect(JSON.stringify(error) + String(error)).not.toContain('anna');
      await expect(executor.mask(toBatch(toLines(1)))).resolves.toMatchObject({ rows: 50 });
    });

    it('takes nothing any more once it is closed, and may be closed twice', async () => {
      const executor = create(await prepare());
      await executor.close();
      await executor.close();
      await expect(executor.mask(toBatch(toLines(0)))).rejects.toMatchObject({ code: 'MASK_CLOSED' });
    });
  });
}

describeContract('the calling thread', (prepared) => createMaskExecutor(prepared), 1);
describeContract('one thread', (prepared) => createMaskPool(prepared, 1), 2);
describeContract('four threads', (prepared) => createMaskPool(prepared, 4), 8);

describe('the pool of threads', () => {
  it('takes the bytes away from the caller, without a copy where they fill their buffer', async () => {
    const pool = track(createMaskPool(await prepare(), 1));
    const batch = toBatch(toLines(0));
    const answer = pool.mask(batch);
    expect(batch.bytes.byteLength).toBe(0);
    await answer;
  });

  it('rejects what is in flight when it is closed', async () => {
    const pool = createMaskPool(await prepare(), 2);
    const answers = Promise.allSettled(batches().map((batch) => pool.mask(batch)));
    await pool.close();
    for (const answer of await answers) expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'MASK_CLOSED' } });
  });

  it('rejects everything in flight when a thread dies, and takes nothing any more', async () => {
    const pool = track(new MaskPool(await prepare(), 2));
    const answers = Promise.allSettled(batches().map((batch) => pool.mask(batch)));
    await pool.killThread(0);
    for (const answer of await answers) expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'MASK_THREAD_DIED' } });
    await expect(pool.mask(toBatch(toLines(0)))).rejects.toMatchObject({ code: 'MASK_THREAD_DIED' });
  });

  it('does not start work on a plan whose rule has no key, and says which', async () => {
    const { keys } = await prepare();
    const pool = track(createMaskPool({ plan: toPlan([{ name: 'a', rule: toRule('fixed', { domain: 'other' }) }]), keys }, 1));
    await expect(pool.mask(toBatch('x\n'))).rejects.toMatchObject({ code: 'MASK_KEY_MISSING', where: { column: 'a' } });
  });
});
