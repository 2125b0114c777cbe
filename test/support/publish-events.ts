// A process that publishes events until it is killed: as a worker does it, and nothing else. Its environment says everything.
import { parseSettings } from '../../src/config/settings.js';
import { openEventPublication } from '../../src/control/events/events.js';
import { HttpClient } from '../../src/systems/http/http.js';
import { Metadata } from '../../src/systems/metadata/metadata.js';

const settings = parseSettings(process.env);
const metadata = await Metadata.open(process.env['BAUTA_CONN_METADATA'] ?? '', 3);
const options = { metadata, settings, environment: process.env, http: new HttpClient({ hosts: '' }), failed: () => undefined };
openEventPublication({ ...options, leaseMs: 500 });
process.stdout.write('publishes\n');
