// `bauta secrets rotate`: new passwords for the two roles of a Connection's login, while it is in use. With `--server` a worker there does it.
import { loadDocuments, readText } from '../documents/documents.js';
import { parseSettings } from '../config/settings.js';
import { Grants } from '../control/references.js';
import { type Rotated, rotateSecret } from '../control/rotate-secret.js';
import { vaultOf } from '../control/vaults.js';
import { systemClock } from '../kernel/clock.js';
import { newRunId } from '../kernel/ids.js';
import { sortFindings, toError } from '../kernel/errors.js';
import type { ConnectionDefinition } from '../pipeline/definition.js';
import { askErrand } from './await-errand.js';
import { openHomeLog } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { createLocalRead } from './local-secrets.js';
import { writeJson } from './print.js';
import { findServer } from './server.js';

export interface SecretsOptions extends GlobalOptions {
  readonly file?: string;
}

export async function secrets(action: string, name: string, options: SecretsOptions): Promise<number> {
  if (action !== 'rotate') throw toError('OPTION_INVALID', { name: '<action>', expected: 'rotate' });
  const server = await findServer(options);
  if (server) return tell((await askErrand<Rotated>(server, '/v1/rotations', { connection: name })).result, options);
  if (options.file === undefined) throw toError('OPTION_MISSING', { name: '--file', expected: 'bauta secrets rotate shop -f shop.yaml' });
  return tell(await rotateHere(name, options.file, options), options);
}

async function rotateHere(name: string, file: string, options: SecretsOptions): Promise<Rotated> {
  const environment = process.env;
  const settings = parseSettings(environment);
  const definition = await findConnection(file, name);
  const { sink, actor } = await openHomeLog(options.home ?? settings.BAUTA_HOME, settings);
  try {
    const read = createLocalRead({ environment, settings }, await Grants.load(settings));
    const onStep = (step: string): void => void process.stderr.write(`${step}\n`);
    const rotation = {
      definition,
      vault: vaultOf(settings, environment),
      read,
      clock: systemClock,
      id: newRunId(systemClock.now()),
      onStep,
    };
    return await rotateSecret(rotation, { sink, actor: await actor(), runId: '' });
  } finally {
    await sink.close();
  }
}

function tell({ connection, from, to }: Rotated, options: SecretsOptions): number {
  if (wantsJson(options)) writeJson({ connection, from, to, findings: [] });
  else
    process.stdout.write(
      `rotated  ${connection}: ${to} is in use, the passwords of ${from} and ${to} from before are not valid any more\n`,
    );
  return 0;
}

async function findConnection(file: string, name: string): Promise<ConnectionDefinition> {
  const { definitions, findings } = await loadDocuments(file, readText);
  if (findings.some(({ severity }) => severity === 'error'))
    throw toError('DOCUMENTS_INVALID', { file, amount: String(findings.length) }, sortFindings(findings));
  for (const { body } of definitions) if (body.kind === 'Connection' && body.name === name) return body;
  throw toError('RESOURCE_UNKNOWN', { type: `Connection ${name}` });
}
