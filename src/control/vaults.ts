// The Vault of each settings that this process has: one login, however many runs and references there are.
import type { Settings } from '../config/settings.js';
import { OperatorServer } from '../systems/http/http.js';
import { LeaseRecords } from '../systems/files/files.js';
import { type Leases, Vault } from '../systems/vault/vault.js';

type Environment = Readonly<Record<string, string | undefined>>;

const vaults = new Map<Settings, Vault>();

export const createVault = (settings: Settings, environment: Environment): Vault =>
  new Vault(settings, environment, (ca) => new OperatorServer(ca));

/** `environment`: where the references of BAUTA_VAULT_* look; of the first call. */
export function vaultOf(settings: Settings, environment: Environment = process.env): Vault {
  const known = vaults.get(settings) ?? createVault(settings, environment);
  vaults.set(settings, known);
  return known;
}

/** For one run. Gives back first what processes left that are gone: nobody who was killed could. */
export async function openLeases(settings: Settings, environment: Environment, home: string): Promise<Leases> {
  const leases = vaultOf(settings, environment).openLeases(recordsOf(home));
  if (settings.BAUTA_VAULT !== '') await leases.closeLeft();
  return leases;
}

const records = new Map<string, LeaseRecords>();

/** One for all runs of a process: what one of them has is not left. */
function recordsOf(home: string): LeaseRecords {
  const known = records.get(home) ?? new LeaseRecords(home);
  records.set(home, known);
  return known;
}

export async function closeVault(settings: Settings): Promise<void> {
  const known = vaults.get(settings);
  vaults.delete(settings);
  await known?.close();
}

export async function closeVaults(): Promise<void> {
  await Promise.all([...vaults.keys()].map(closeVault));
}
