// Puts checkpoints of the logs of all workspaces at places elsewhere, while they grow. The log waits for none of them: what is not there yet is counted, and
// a place that refuses or cannot be reached is told of, in the log and to channels, once.
import type { Settings } from '../../config/settings.js';
import { systemClock, toTimestamp } from '../../kernel/clock.js';
import { toError, toKnownError } from '../../kernel/errors.js';
import { type AnchorStore, anchorLog } from '../../pipeline/audit/audit.js';
import type { Metadata } from '../../systems/metadata/metadata.js';
import { openAnchorStore, parseAnchorPlaces } from '../anchor-places.js';
import { Rounds } from '../rounds.js';
import { openSnapshot } from './log-snapshot.js';

export interface AnchorClockOptions {
  readonly metadata: Metadata;
  readonly places: readonly string[];
  readonly everyMs: number;
  readonly open: (place: string) => Promise<AnchorStore>;
  /** Told of every failure; the next look tries again. */
  readonly failed: (error: unknown) => void;
}

interface Due {
  readonly place: string;
  readonly workspace_id: string;
  readonly log: string;
}

export class AnchorClock {
  private readonly rounds: Rounds;
  /** What was told last of a place, by workspace. */
  private readonly told = new Map<string, string>();

  constructor(private readonly options: AnchorClockOptions) {
    this.rounds = new Rounds(() => this.look(), options.everyMs, options.failed);
  }

  async look(): Promise<void> {
    const { metadata, places } = this.options;
    const due = await metadata.query<Due>('SELECT place, workspace_id, log FROM bauta.find_unanchored($1)', [places]);
    for (const place of places) await this.visit(place, due.filter((one) => one.place === place)); // prettier-ignore
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }

  private async visit(place: string, due: readonly Due[]): Promise<void> {
    if (due.length === 0) return;
    try {
      const store = await this.options.open(place);
      try {
        for (const one of due) await this.anchor(store, one).catch((error: unknown) => this.tell(one, error));
      } finally {
        await store.close();
      }
    } catch (error) {
      for (const one of due) await this.tell(one, error);
    }
  }

  private async anchor(store: AnchorStore, due: Due): Promise<void> {
    const { metadata } = this.options;
    const { workspace_id: workspaceId, log: name, place } = due;
    const verifier = await metadata.within(workspaceId, ({ log }) => log.verifier());
    if (!verifier) throw toError('LOG_INCONSISTENT', { file: name });
    const { note, lockedUntil } = await anchorLog(openSnapshot(metadata, workspaceId), name, verifier, store);
    const at = toTimestamp(systemClock.now());
    await metadata.within(workspaceId, ({ log }) => log.keepAnchor(name, { place, at, lockedUntil, note }));
    this.told.delete(toKey(due));
  }

  /** In the log and to channels when it is another reason than before: an entry makes the log grow, and is no reason for the next. */
  private async tell(due: Due, error: unknown): Promise<void> {
    const { metadata, failed } = this.options;
    failed(error);
    const { code } = toKnownError(error);
    if (this.told.get(toKey(due)) === code) return;
    try {
      await metadata.within(due.workspace_id, (transaction) => transaction.tellAll('anchor.refused', { place: due.place, code }));
      this.told.set(toKey(due), code);
    } catch (untold) {
      failed(untold);
    }
  }
}

const toKey = ({ workspace_id: workspaceId, place }: Due): string => `${workspaceId} ${place}`;

/** Undefined: the settings name no place. Throws SETTING_INVALID; a place that cannot be reached is no reason not to start. */
export function openAnchoring(options: {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly metadata: Metadata;
  readonly failed: (error: unknown) => void;
}): AnchorClock | undefined {
  const { settings, environment } = options;
  const places = parseAnchorPlaces('BAUTA_LOG_ANCHORS', settings.BAUTA_LOG_ANCHORS);
  if (places.length === 0) return undefined;
  const open = (place: string): Promise<AnchorStore> => openAnchorStore(place, settings, environment);
  return new AnchorClock({ ...options, places, everyMs: settings.BAUTA_LOG_ANCHOR_SECONDS * 1000, open });
}
