// Shows the logs of all workspaces to their witnesses, while they grow. The log itself waits for none of them: what they have not seen yet is said where it
// is verified, and counted where it is measured.
import type { Settings } from '../../config/settings.js';
import { toError } from '../../kernel/errors.js';
import { type SendToWitness, type TrustPolicy, gatherCosignatures, parseCheckpoint } from '../../pipeline/audit/audit.js';
import { readTrustPolicy } from '../../systems/files/files.js';
import { HttpClient, toWitnessSender } from '../../systems/http/http.js';
import type { Metadata } from '../../systems/metadata/metadata.js';
import { openSnapshot } from './log-snapshot.js';
import { Rounds, forEach } from '../rounds.js';

export interface CosignClockOptions {
  readonly metadata: Metadata;
  /** BAUTA_LOG_WITNESSES. */
  readonly policy: TrustPolicy;
  readonly everyMs: number;
  readonly sendTo: (url: string, name: string) => SendToWitness;
  /** Told of every witness that did not cosign; the next look asks it again. */
  readonly failed: (error: unknown) => void;
}

export class CosignClock {
  private readonly rounds: Rounds;

  /** Throws TRUST_POLICY_INVALID for a policy that asks nobody. */
  constructor(private readonly options: CosignClockOptions) {
    const { policy, everyMs, failed } = options;
    if (!policy.witnesses.some(({ url }) => url !== undefined))
      throw toError('TRUST_POLICY_INVALID', {
        file: 'BAUTA_LOG_WITNESSES',
        line: 1,
        expected: 'a witness with a URL, or nobody can be asked',
      });
    this.rounds = new Rounds(() => this.look(), everyMs, failed);
  }

  async look(): Promise<void> {
    const { metadata, failed } = this.options;
    const found = await metadata.query<{ workspace_id: string; log: string }>('SELECT workspace_id, log FROM bauta.find_uncosigned()');
    await forEach(found, failed, ({ workspace_id, log }) => this.cosign(workspace_id, log));
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }

  private async cosign(workspaceId: string, name: string): Promise<void> {
    const { metadata, policy, sendTo, failed } = this.options;
    const files = openSnapshot(metadata, workspaceId);
    const gathered = await gatherCosignatures(files, name, policy, (url, witness) => sendTo(url, witness.name));
    for (const { error } of gathered.failed) failed(error);
    const { note } = gathered;
    const checkpoint = note === undefined ? undefined : parseCheckpoint(note);
    if (note !== undefined && checkpoint) await metadata.within(workspaceId, ({ log }) => log.keepCosigned(name, checkpoint.size, note));
  }
}

/** Undefined: the settings name no witnesses. Throws TRUST_POLICY_UNREADABLE and TRUST_POLICY_INVALID: a service that was told to ask does not start without. */
export async function openCosigning(options: {
  readonly settings: Pick<Settings, 'BAUTA_LOG_WITNESSES' | 'BAUTA_LOG_COSIGN_SECONDS'>;
  readonly metadata: Metadata;
  readonly failed: (error: unknown) => void;
}): Promise<CosignClock | undefined> {
  const { BAUTA_LOG_WITNESSES: file, BAUTA_LOG_COSIGN_SECONDS: seconds } = options.settings;
  if (file === '') return undefined;
  const sendTo = (url: string, name: string): SendToWitness => toWitnessSender(url, name, (hosts) => new HttpClient({ hosts }));
  return new CosignClock({ ...options, policy: await readTrustPolicy(file), everyMs: seconds * 1000, sendTo });
}
