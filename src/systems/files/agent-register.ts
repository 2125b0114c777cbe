// Which agents a home has let in, by environment, and which tokens are open. It is what is believed, whatever stands on a topic: anybody may take a
// message away from there, so that who was revoked would seem not to have been.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import { syncFolder, writeWhole } from './durable.js';
import { withWriteLock } from './write-lock.js';

export interface OpenInvite {
  readonly tokenId: string;
  /** Public half of the token's key, in hex. */
  readonly publicKey: string;
  readonly expiresAt: string;
}

export interface RegisteredAgent {
  readonly agentId: string;
  readonly publicKey: string;
  readonly recipient: string;
  readonly place: { readonly database: string; readonly systemIdentifier: string };
  readonly enrolledAt: string;
  /** Null: it may load. */
  readonly revokedAt: string | null;
}

export interface AgentRegister {
  readonly invites: readonly OpenInvite[];
  readonly agents: readonly RegisteredAgent[];
}

export const noAgents: AgentRegister = { invites: [], agents: [] };

const toFile = (environment: string): string => `${Buffer.from(environment, 'utf8').toString('base64url')}.json`;

export async function readAgentRegister(home: string, environment: string): Promise<AgentRegister> {
  const file = join(home, 'agents', toFile(environment));
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return noAgents;
  try {
    return JSON.parse(text) as AgentRegister;
  } catch {
    throw toError('AGENT_HOME_INVALID', { file });
  }
}

/** One at a time; durable when it resolves. */
export async function changeAgentRegister(
  home: string,
  environment: string,
  change: (register: AgentRegister) => AgentRegister,
): Promise<AgentRegister> {
  const folder = join(home, 'agents');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return withWriteLock(folder, async () => {
    const changed = change(await readAgentRegister(home, environment));
    await writeWhole(join(folder, toFile(environment)), JSON.stringify(changed));
    await syncFolder(folder);
    return changed;
  });
}
