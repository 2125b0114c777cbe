// An incident is opened: by a person, by an alert, or by what was found odd in the log. The same rule about the same dataset is one incident while it is
// open, whoever says it and however often; from this very transaction on nothing new is provisioned there.
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { newRunId } from '../../kernel/ids.js';
import type { Transaction } from '../../systems/metadata/metadata.js';
import { findPlaybook } from '../playbooks/playbooks.js';
import { findEnvironment } from '../runs/runs.js';

export interface Opening {
  /** What says that something is wrong: `alert NAME`, a rule of a watch, or a person’s word for it. */
  readonly rule: string;
  readonly pipeline: string;
  readonly playbook: string;
  /** A person's id; null: nobody. */
  readonly openedBy: string | null;
  /** In whose name workers are asked: that person, or who applied the document. */
  readonly answeredBy: string;
  readonly anomaly?: string;
  /** As it was said; the log has a commitment. */
  readonly reason?: string;
}

const HOUR_MS = 3_600_000;

/** Throws RESOURCE_UNKNOWN where there is no such pipeline or playbook. */
export async function openIncident(
  transaction: Transaction,
  { rule, pipeline, playbook: name, openedBy, answeredBy, anomaly, reason }: Opening,
  clock: Clock,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const environment = await findEnvironment(transaction, pipeline);
  const found = await findPlaybook(transaction, name);
  if (!found) throw toError('RESOURCE_UNKNOWN', { type: 'playbook' });
  const { playbook, version } = found;
  const known = await transaction.incidents.findOpen({ rule, environment, pipeline });
  if (known) return { id: known.id, isNew: false };
  const nowMs = clock.now();
  const [id, now, at] = [newRunId(nowMs), new Date(nowMs), toTimestamp(nowMs)];
  const committed = reason === undefined ? null : await transaction.log.keepText(reason);
  const inserted = await transaction.incidents.insert(
    {
      ...{ id, rule, environment, pipeline, playbook: name, playbookVersion: version, openedAt: now, openedBy, answeredBy },
      ...{ anomaly: anomaly ?? null, reason: committed, evidenceFrom: new Date(nowMs - playbook.evidenceHours * HOUR_MS) },
      frozenAt: playbook.steps.includes('freeze') ? now : null,
    },
    playbook.steps,
  );
  // Somebody was quicker: theirs is there by now.
  if (!inserted) return { id: (await transaction.incidents.findOpen({ rule, environment, pipeline }))!.id, isNew: false };
  const data = {
    ...{ incident: id, rule, environment, dataset: pipeline, playbook: `${name} version ${version}`, steps: playbook.steps },
    ...(anomaly === undefined ? {} : { anomaly }),
    ...(committed === null ? {} : { reason: { committed } }),
  };
  await transaction.audit({ type: 'incident.opened', at, ...(openedBy === null ? {} : { actor: openedBy }), data });
  await transaction.notifications.note({ type: 'incident.opened', at, data: { incident: id, rule, environment, pipeline } });
  return { id, isNew: true };
}
