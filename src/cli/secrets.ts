// `bauta secrets rotate`: new passwords for the two roles of a Connection's login, while it is in use.
import { loadDocuments, readText } from '../documents/documents.js';
import { parseSettings } from '../config/settings.js';
import { Grants } from '../control/references.js';
import { rotateLogin } from '../control/rotate-login.js';
import { vaultOf } from '../control/vaults.js';
import { systemClock } from '../kernel/clock.js';
import { sortFindings, toError, toKnownError } from '../kernel/errors.js';
import { Journal } from '../pipeline/audit/audit.js';
import type { ConnectionDefinition } from '../pipeline/definition.js';
import { openHomeLog } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { createLocalRead } from './local-secrets.js';
import { writeJson } from './print.js';

export interface SecretsOptions extends GlobalOptions {
  readonly file?: string;
}

export async function secrets(action: string, name: string, { file, ...options }: SecretsOptions): Promise<number> {
  if (action !== 'rotate') throw toError('OPTION_INVALID', { name: '<action>', expected: 'rotate' });
  if (file === undefined) throw toError('OPTION_MISSING', { name: '--file', expected: 'bauta secrets rotate shop -f shop.yaml' });
  const environment = process.env;
  const settings = parseSettings(environment);
  const definition = await findConnection(file, name);
  const { sink, actor } = await openHomeLog(options.home ?? settings.BAUTA_HOME, settings);
  try {
    const journal = new Journal(sink, systemClock, '');
    const told = { connection: name, actor: await actor() };
    await journal.append('control', 'secret.rotation-begun', told);
    try {
      const read = createLocalRead({ environment, settings }, await Grants.load(settings));
      const onStep = (step: string): void => void process.stderr.write(`${step}\n`);
      const { from, to } = await rotateLogin({ definition, vault: vaultOf(settings, environment), read, clock: systemClock, onStep });
      await journal.append('control', 'secret.rotated', { ...told, from, to });
      if (wantsJson(options)) writeJson({ connection: name, from, to, findings: [] });
      else
        process.stdout.write(`rotated  ${name}: ${to} is in use, the passwords of ${from} and ${to} from before are not valid any more\n`);
    } catch (error) {
      await journal.append('control', 'secret.rotation-failed', { ...told, code: toKnownError(error).code });
      throw error;
    }
  } finally {
    await sink.close();
  }
  return 0;
}

async function findConnection(file: string, name: string): Promise<ConnectionDefinition> {
  const { definitions, findings } = await loadDocuments(file, readText);
  if (findings.some(({ severity }) => severity === 'error'))
    throw toError('DOCUMENTS_INVALID', { file, amount: String(findings.length) }, sortFindings(findings));
  for (const { body } of definitions) if (body.kind === 'Connection' && body.name === name) return body;
  throw toError('RESOURCE_UNKNOWN', { type: `Connection ${name}` });
}
