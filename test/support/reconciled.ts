// What the log of a service has told, held against its tables, as `bauta report reconcile` does.
import { setTimeout as sleep } from 'node:timers/promises';

import { readEntries } from '../../src/pipeline/audit/audit.js';
import type { LoggedEvent } from '../../src/pipeline/event.js';
import { type CounterpartName, type StoredRow, readLater, reconcile } from '../../src/pipeline/report/report.js';
import type { Metadata } from '../../src/systems/metadata/metadata.js';
import type { ServiceWorld } from './service.js';

/** Of one kind, page by page. */
export async function* readRowsOf(metadata: Metadata, workspaceId: string, name: CounterpartName, size = 200): AsyncGenerator<StoredRow> {
  for (let after: string | undefined; ;) {
    const page = await metadata.within(workspaceId, ({ counterparts }) => counterparts.list(name, size, after));
    yield* page;
    after = page.at(-1)?.key;
    if (page.length < size) return;
  }
}

/** Of a world whose people, and nothing else, came without an entry: what is apart or other when everything told is in the log. */
export async function findApart(world: ServiceWorld): Promise<readonly string[]> {
  return (await findAllApart(world)).filter((one) => !/^no entry of (person|role_grant|token) /.test(one));
}

/** Of a world that was used as a service is, by what is asked of it alone; `isTold`: what of the log there is. */
export async function findAllApart(world: ServiceWorld, isTold: (entry: LoggedEvent) => boolean = () => true): Promise<readonly string[]> {
  await world.startSequencer();
  for (let rest = 1, left = 100; rest > 0 && left > 0; left -= 1) {
    rest = Number((await world.sql('SELECT count(*)::int AS n FROM bauta.outbox'))[0]?.['n']);
    if (rest > 0) await sleep(100);
  }
  return look(world.metadata, world.workspaces.home, isTold);
}

/** What is apart or other, by table, column and id. */
async function look(metadata: Metadata, workspaceId: string, isTold: (entry: LoggedEvent) => boolean): Promise<readonly string[]> {
  const entries = readEntries(
    {
      read: (wanted) => metadata.within(workspaceId, ({ log }) => log.files().read(wanted)),
      list: (wanted) => metadata.within(workspaceId, ({ log }) => log.files().list(wanted)),
    },
    { later: readLater },
  );
  const found = await reconcile(only(entries, isTold), (name) => readRowsOf(metadata, workspaceId, name), Date.now());
  return found.flatMap(({ held }) =>
    held.flatMap(({ table, apart, changed }) => [
      ...apart.map(({ id, missing }) => `no ${missing} of ${table} ${id}`),
      ...changed.flatMap(({ id, columns }) => columns.map((column) => `another ${column} of ${table} ${id}`)),
    ]),
  );
}

async function* only(entries: AsyncIterable<LoggedEvent>, isTold: (entry: LoggedEvent) => boolean): AsyncGenerator<LoggedEvent> {
  for await (const entry of entries) if (isTold(entry)) yield entry;
}
