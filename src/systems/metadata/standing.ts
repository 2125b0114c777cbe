// Which leaves later runs go by, kept beside the log in the transaction that writes it, so that a run need not read what every run before it told.
import type { QueryRunner } from 'typeorm';

import { type Subject, toSubject } from '../../pipeline/audit/audit.js';
import type { Event } from '../../pipeline/event.js';

interface Place {
  readonly workspaceId: string;
  readonly log: string;
  /** Index of the first of the events. */
  readonly from: number;
}

/** MUST be in the transaction that wrote the events' leaves. */
export async function keepStanding(
  session: QueryRunner,
  { workspaceId, log, from }: Place,
  events: readonly { readonly event: Event }[],
): Promise<void> {
  // The last word on each subject.
  const told = new Map<string, Subject & { readonly position: number }>();
  events.forEach(({ event }, n) => {
    const about = toSubject(event);
    if (about) told.set(about.subject, { ...about, position: from + n });
  });
  const ended = [...told.values()].filter(({ ends }) => ends).map(({ subject }) => subject);
  const standing = [...told.values()].filter(({ ends }) => !ends);
  if (ended.length > 0)
    await session.query('DELETE FROM bauta.audit_standing WHERE workspace_id = $1 AND subject = ANY ($2::text[])', [workspaceId, ended]);
  if (standing.length > 0)
    await session.query(
      `INSERT INTO bauta.audit_standing (workspace_id, log, subject, type, position)
       SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::bigint[])
       ON CONFLICT (workspace_id, subject) DO UPDATE SET log = excluded.log, position = excluded.position`,
      [
        ...[workspaceId, log],
        ...[standing.map(({ subject }) => subject), standing.map(({ type }) => type), standing.map(({ position }) => position)],
      ],
    );
}
