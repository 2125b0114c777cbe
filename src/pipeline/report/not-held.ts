// Tables of the metadata database that no item of a population stands in, row by row: what is in them the log cannot say, and why.
export interface NotHeld {
  readonly tables: readonly string[];
  /** For people. */
  readonly why: string;
}

/** With the tables of `counterparts` these are all; a test sees to it. */
export const notHeld: readonly NotHeld[] = [
  { tables: ['token_entry'], why: 'kept tokens: the log counts exchanges, and no entry stands for a token' },
  { tables: ['first_token'], why: 'one-time tokens of first administrators: the log tells that one was issued, without an id' },
  { tables: ['erasable_text'], why: 'texts: entries have a commitment to each, and one that is gone may have been erased' },
  { tables: ['incident_file'], why: 'files of incidents: whoever has one holds it against its digest in the log' },
  { tables: ['opa_event'], why: 'what OPA servers sent: the log has how many came at once, and one digest over them' },
  { tables: ['deployment'], why: 'what stands deployed, as callers said last' },
  { tables: ['workspace'], why: 'workspaces: each has a log of its own' },
  {
    tables: [
      ...['agent_stream', 'anomaly_count', 'anomaly_cursor', 'event_cursor', 'event_lease', 'idempotency', 'notice', 'recheck'],
      ...['run_event', 'run_line', 'run_tally', 'run_told', 'snapshot_holder', 'source_seen', 'token_use', 'trigger_event'],
      ...['used_identity', 'worker'],
    ],
    why: 'what the service works with: how far it came, what it has seen and shows, and when a key was last used',
  },
  {
    tables: [
      ...['audit_anchor', 'audit_checkpoint', 'audit_cosigned', 'audit_key', 'audit_leaf', 'audit_note', 'audit_standing', 'audit_tile'],
      'outbox',
    ],
    why: 'the log itself, which its own proofs check, and what waits to stand in it',
  },
];
