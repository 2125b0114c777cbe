// What entries told of the rows of one table, as they were read: which are there, and what stands in them.

/** What one column holds, or one of what it may hold; undefined: nothing that was read says. */
export type Say = string | readonly string[] | undefined;
export type Says = Readonly<Record<string, Say>>;

export interface ToldRow {
  /** Of the entry that told of it. */
  readonly at: string;
  readonly says: Says;
}

export class ToldRows {
  readonly rows = new Map<string, ToldRow>();

  add(id: string, at: string, says: Says = {}): void {
    this.rows.set(id, { at, says });
  }

  /** Of a row that the log told of; of another one nothing is said. */
  change(id: string, says: Says): void {
    const known = this.rows.get(id);
    if (known) this.rows.set(id, { ...known, says: { ...known.says, ...says } });
  }

  remove(id: string): void {
    this.rows.delete(id);
  }
}
