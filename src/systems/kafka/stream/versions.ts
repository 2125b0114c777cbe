// The dataset versions of an environment, by what agents were told of them: a pure function of the messages.
import type { MarkerRow } from '../../../pipeline/marker.js';
import type { DatasetVersion } from '../../../pipeline/ports.js';
import { type AgentBody, parseAgent, parseBegin, parsePublish } from '../wire/body.js';
import type { ControlMessage } from '../wire/message.js';
import { type RowsBegin, parseRowsBegin } from '../wire/rows-body.js';

export interface ToldVersion extends DatasetVersion {
  readonly topics: readonly string[];
  /** Of the rows encoding. */
  readonly rows: RowsBegin | undefined;
  readonly marker: MarkerRow | undefined;
}

/** Oldest first. `staging`: begun, and neither published nor withdrawn. */
export function toVersions(messages: readonly ControlMessage[]): readonly ToldVersion[] {
  const versions = new Map<string, ToldVersion>();
  /** Published ones, in the order in which they became current. */
  let order: string[] = [];
  for (const { type, runId, issuedAt, body } of messages) {
    const known = versions.get(runId);
    if (type === 'begin') {
      const [bulk, rows] = [parseBegin(body), parseRowsBegin(body)];
      const begun = rows ?? bulk;
      if (!begun) continue;
      const { target, version, planDigest } = begun;
      const topics = bulk ? [bulk.topic] : Object.keys(rows?.before ?? {});
      const of = { target, version, planDigest, topics, rows, runId, database: target };
      versions.set(runId, { ...of, state: 'staging', publishedAt: null, marker: undefined });
    } else if (type === 'publish' && known) {
      versions.set(runId, { ...known, publishedAt: issuedAt, marker: parsePublish(body)?.marker });
      order.push(runId);
    } else if (type === 'withdraw' || type === 'expire') {
      versions.delete(runId);
      order = order.filter((one) => one !== runId);
    } else if (type === 'rollback' && known) versions.set(runId, { ...known, rolledBack: true });
  }
  const current = order.findLast((runId) => !versions.get(runId)?.rolledBack);
  return [...versions.values()].map((version) => {
    if (!order.includes(version.runId)) return version;
    if (version.runId === current) return { ...version, state: 'current' as const };
    // Topics that versions share hold the rows of the one that came after it.
    return { ...version, state: 'previous' as const, ...(version.rows?.alone === false && { replaced: true as const }) };
  });
}

/** Agents that may load, by id. `revoked`: whatever the topic says, from which anybody may have taken the word of it away. */
export function toAgents(messages: readonly ControlMessage[], revoked: ReadonlySet<string> = new Set()): ReadonlyMap<string, AgentBody> {
  const agents = new Map<string, AgentBody>();
  for (const { type, runId, body } of messages) {
    const agent = type === 'enrolled' ? parseAgent(body) : undefined;
    if (agent && !revoked.has(runId)) agents.set(runId, agent);
    if (type === 'revoked') agents.delete(runId);
  }
  return agents;
}
