// Brings the metadata database up to date as its owner, and ends: for a job before the service starts, so that no process that listens
// holds the owner's password. However many start at the same time, each migration runs once.
import { sealProcess, tellUncaught } from './cli/seal-process.js';
import { parseSettings } from './config/settings.js';
import { tellWhyNot } from './control/announce.js';
import { readReference } from './control/home.js';
import { toError } from './kernel/errors.js';
import { migrate } from './systems/metadata/metadata.js';
import { migrateQueue } from './systems/queue/queue.js';
import { toVerifiedUrl } from './systems/postgres/postgres.js';

const say = (line: string): void => void process.stderr.write(`${line}\n`);
tellUncaught((error) => tellWhyNot(error, say));
try {
  sealProcess();
  const { BAUTA_METADATA_OWNER: reference } = parseSettings(process.env);
  if (reference === '') throw toError('SETTING_MISSING', { name: 'BAUTA_METADATA_OWNER', expected: 'env:NAME or file:PATH' });
  const owner = toVerifiedUrl(reference, readReference(reference, process.env));
  for (const name of await migrate(owner, { beside: () => migrateQueue(owner) })) say(`migrated: ${name}`);
  say('the metadata database is up to date');
} catch (error) {
  process.exitCode = tellWhyNot(error, say);
}
