// What signs the logs of the workspaces, given by whoever has the key: the metadata database never sees it.
import type { Signer } from '../../kernel/signed-note.js';
import type { Event } from '../../pipeline/event.js';

export interface LogKeys {
  /** How long one log of a chain goes on. `never`: for good. */
  readonly period: 'year' | 'month' | 'never';
  /** The same for good, for each workspace another. */
  signerOf(workspaceId: string): Promise<Signer>;
  /** The checkpoint that this process, or another one with its memory, saw signed last; it MUST lie outside the metadata database. */
  lastOf(workspaceId: string): Promise<string | undefined>;
  /** Durable when it resolves. */
  remember(workspaceId: string, note: string): Promise<void>;
  /** Whether a text may be signed with the log's key: it MUST be one that no checkpoint looks like, and true by what the log holds. */
  maySign(text: string, eventAt: (origin: string, index: number) => Promise<Event | undefined>): Promise<boolean>;
}
