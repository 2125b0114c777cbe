// Sequences the audit log until it is killed: `node sequencing.child.js URL HOME`.
import { openLogKeys } from '../../src/control/log-keys.js';
import { parseSettings } from '../../src/config/settings.js';
import { Sequencer } from '../../src/systems/metadata/metadata.js';

const [url = '', home = ''] = process.argv.slice(2);
const keys = await openLogKeys(parseSettings({ BAUTA_HOME: home }), {});
const failed = (error: unknown): void => void process.stderr.write(`${(error as { code?: string }).code ?? 'unknown'}\n`);
const sequencer = new Sequencer(url, keys, failed);
process.stdout.write('sequencing\n');
process.once('SIGTERM', () => void sequencer.stop());
