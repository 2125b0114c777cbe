// Where secrets are kept outside of this machine: a Vault, or Secrets Manager of AWS. What they hold is read by one way, whoever asks.
import type { Settings } from '../config/settings.js';
import { Aws } from '../systems/aws/aws.js';
import type { Leases } from '../systems/vault/vault.js';
import { closeVault, closeVaults, vaultOf } from './vaults.js';

const accounts = new Map<Settings, Aws>();

/** That of each settings of this process. */
export function awsOf(settings: Settings): Aws {
  const known = accounts.get(settings) ?? new Aws(settings);
  accounts.set(settings, known);
  return known;
}

export const isStored = (reference: string): boolean => /^(vault|aws):/.test(reference);

/** `leases`: keeps what Vault lends. Throws VAULT_* and AWS_*. */
export function createReadStored(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  leases?: Leases,
): (reference: string) => Promise<string | undefined> {
  return (reference) =>
    reference.startsWith('aws:') ? awsOf(settings).read(reference) : vaultOf(settings, environment).read(reference, leases);
}

export async function closeStores(settings: Settings): Promise<void> {
  const account = accounts.get(settings);
  accounts.delete(settings);
  await account?.close();
  await closeVault(settings);
}

export async function closeAllStores(): Promise<void> {
  await Promise.all([...accounts.keys()].map(closeStores));
  await closeVaults();
}
