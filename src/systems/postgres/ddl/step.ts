// One thing to be made: its statements, when in the order it may come, what it needs and what it locks.

export interface Statement {
  readonly sql: string;
  /** The label of what it makes, for messages and progress. */
  readonly object: string;
  /** Label of the one table whose rows it needs: it may be done as soon as they are in, whatever of the data is still missing. */
  readonly rowsOf?: string;
}

/**
 * When a step is done. `early` is before the data unless it needs something of after; the rest is after the data, in this order, but never
 * before what it needs.
 */
export const ranks = [
  'early',
  'keys',
  'index parts',
  'checks and references',
  'whole tables',
  'definitions',
  'refresh',
  'view indexes',
  'table settings',
  'triggers',
  'trigger states',
  'policies',
  'comments',
] as const;

export type Rank = (typeof ranks)[number];

export interface Step {
  readonly label: string;
  readonly rank: Rank;
  readonly sql: readonly string[];
  readonly needs: readonly string[];
  /** Labels of what it locks against others of its phase: two steps with one in common never run at once. */
  readonly locks?: readonly string[];
  /** Rows cannot go in without it: it and what it needs is made before the data. */
  readonly required?: boolean;
  /** Checks: actions on one table are done in one ALTER TABLE, which reads the table once. `sql` is the same, alone. */
  readonly alter?: { readonly table: string; readonly action: string };
  /** Gone when that is dropped. */
  readonly pieceOf?: string;
  /** It looks at the rows of the table that it is a piece of and at nothing else: no function of the schema is called. */
  readonly ownRows?: true;
}
