// A roll-back that is killed: the version before or the current one, whole, and never between; the next start tells the log what came of it.
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { rollbackSteps } from '../../src/systems/postgres/target/target.js';
import { faultsOf } from '../support/log.js';
import { type SmallShop, startProcess, startSmallShop, untilThere, waitFor } from '../support/small-shop.js';

const child = fileURLToPath(new URL('./blocked-rollback.js', import.meta.url));

let shop: SmallShop;
beforeAll(async () => {
  shop = await startSmallShop();
  for (let i = 0; i < 2; i++) expect((await shop.bauta(['run', '-f', shop.pipeline])).code).toBe(0);
}, 60_000);
afterAll(() => shop.stop());

async function versions(): Promise<readonly string[]> {
  const { stdout } = await shop.bauta(['datasets', '-f', shop.pipeline, '--json']);
  const { datasets } = JSON.parse(stdout) as { datasets: { version: number; state: string; marker: string; rolledBack?: true }[] };
  return datasets.map(({ version, state, marker, rolledBack }) => `${version} ${state} ${marker}${rolledBack ? ' rolled back' : ''}`);
}

it.each([...rollbackSteps, 'outcome'])(
  'a roll-back killed at %s left either version current and whole, and the next start says which',
  async (place) => {
    const started = startProcess([child, shop.pipeline, place], shop.folder, shop.environment);
    await untilThere(started, place);
    started.child.kill('SIGKILL');
    expect((await started.ended).signal).toBe('SIGKILL');
    // The server notices the end of a client when it next reads from it.
    await waitFor(async () => (await shop.traces()).sessions === 0);
    const done = place === 'outcome';
    expect(await versions()).toEqual(
      done ? ['2 previous signed rolled back', '1 current signed'] : ['2 current signed', '1 previous signed'],
    );
    expect((await faultsOf(shop.home)).open).toEqual(['dataset.rolled-back.intended']);
    expect(await shop.bauta(['doctor', '-f', shop.pipeline, '--fix'])).toMatchObject({ code: 0 });
    expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
    const told = shop.events().filter(({ type }) => type.startsWith('dataset.rolled-back'));
    expect(told.at(-1)?.type).toBe(done ? 'dataset.rolled-back.completed' : 'dataset.rolled-back.undone');
    // Nothing in it was touched by the switch that was cut.
    expect(await shop.bauta(['drift', '-f', shop.pipeline])).toMatchObject({ code: 0 });
  },
  60_000,
);
