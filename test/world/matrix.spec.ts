import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { digestAll } from '../support/compare.js';
import { findMajors, packageOf } from '../support/postgres-majors.js';
import { requirePublished, startSample } from '../support/shop.js';

const majors = findMajors();

/** Provisions the shop on a server of its own with the masking keys in `keys` (made there when there are none); the digest of every table of the copy. */
async function linesOn(keys: string, embedded: { package?: string } = {}): Promise<{ major: number; lines: Record<string, string> }> {
  const sample = await startSample({ small: true, embedded });
  try {
    const world = await sample.world('matrix');
    cpSync(keys, join(world.home, 'keys'), { recursive: true });
    requirePublished(await world.provision());
    // Each home has a log, and a key for it, of its own.
    cpSync(join(world.home, 'keys'), keys, { recursive: true, filter: (path) => !basename(path).startsWith('log.') });
    const [row] = await sample.server.sql('postgres', `SELECT current_setting('server_version_num')::int / 10000 AS major`);
    return { major: Number(row?.['major']), lines: await digestAll(sample.server, world.target) };
  } finally {
    await sample.stop();
  }
}

(majors.length > 0 ? describe : describe.skip)('the same shop and the same key on several majors of Postgres', () => {
  let keys: string;
  let lines: Record<string, string>;

  beforeAll(async () => {
    keys = mkdtempSync(join(tmpdir(), 'bauta-matrix-'));
    const newest = await linesOn(keys);
    expect(newest.major).toBe(18);
    lines = newest.lines;
  }, 120_000);
  afterAll(() => rmSync(keys, { recursive: true, force: true }));

  it.each(majors)('gives on %i the lines that it gives on 18', async (major) => {
    const older = await linesOn(keys, { package: packageOf(major) });
    expect(older.major).toBe(major);
    expect(Object.keys(older.lines).length).toBeGreaterThan(15);
    expect(older.lines).toEqual(lines);
  });
});
