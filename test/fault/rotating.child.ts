// Rotates a login that Vault keeps, and is killed at a place: before a step, or as soon as a role's password was set and nothing was told of it.
import { parseSettings } from '../../src/config/settings.js';
import { type RotationStep, rotateLogin } from '../../src/control/rotate-login.js';
import { createVault } from '../../src/control/vaults.js';
import { systemClock } from '../../src/kernel/clock.js';
import type { ConnectionDefinition } from '../../src/pipeline/definition.js';

const [place = '', document = '', id = 'killed'] = process.argv.slice(2);
const settings = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('BAUTA_')));
const vault = createVault(parseSettings(settings), process.env);
const definition = JSON.parse(document) as ConnectionDefinition;
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('it lives');
};

let step: RotationStep | undefined;
const write = vault.writeVersion.bind(vault);
// In the step that retires the old login the write stands after the password was set.
vault.writeVersion = (...words: Parameters<typeof write>) => {
  if (step === 'revoke' && place === 'after revoke') die();
  return write(...words);
};
const onStep = (name: RotationStep): void => {
  if (name === place) die();
  step = name;
};
await rotateLogin({ definition, vault, read: (reference) => vault.read(reference), clock: systemClock, id, onStep });
