// A sample of each table, held to the laws that its transforms declare. Rows of source and copy are matched by key, else by place from the first
// row on; where neither tells rows apart, and for values inside values, what needs no original is looked at.
import type { TablePlan } from '../plan.js';
import type { Field, Reader } from '../ports.js';
import { type FieldTables, flags } from './field-table.js';
import type { Leaf } from './leaves.js';
import { LeafLaws, type LawResult, type Looked } from './leaf-laws.js';
import { type Bindings, findDisagreement } from './laws/laws.js';
import { toField, toKeys, toPersons } from './row-pairs.js';
import type { SampledLine, SearchKernel } from './search-kernel.js';

/** Rows of one table that are looked at. */
const MOST_ROWS = 1_000;

export class LawSample {
  private readonly all: readonly LeafLaws[];
  /** Of the leaves that rows of both sides are matched for. */
  private readonly matched: readonly LeafLaws[];
  private readonly keys: readonly Field[];
  private readonly persons: readonly Field[];
  /** By key: person and originals, as COPY wrote them. */
  private readonly originals = new Map<string, readonly string[]>();

  /** `seed`: picks the rows. `fields`: of the lines of the copy that `take` is given. */
  constructor(
    private readonly reader: Reader,
    private readonly kernel: SearchKernel,
    private readonly tables: FieldTables,
    private readonly table: TablePlan,
    leaves: readonly Leaf[],
    private readonly seed: number,
    private readonly fields: readonly Field[],
  ) {
    this.all = leaves.map((leaf) => new LeafLaws(leaf));
    this.matched = this.all.filter(({ leaf }) => table.pairing !== undefined && leaf.field.path === undefined);
    this.keys = toKeys(table);
    this.persons = toPersons(table).map((name) => toField(table, name));
  }

  /** Before the copy is read: some rows of the source, and the kernel is told their keys. */
  async begin(): Promise<void> {
    if (this.matched.length === 0 || this.keys.length === 0) return;
    const entries = [...this.keys.map(() => ({ flags: flags.key })), ...this.rest().map(() => ({ flags: 0 }))];
    const lines = this.kernel.lines(this.tables.write(entries), true);
    this.kernel.noPairs();
    this.kernel.sample('keys');
    const where = typeof this.table.rows === 'object' ? { where: this.table.rows.where } : {};
    const options = { ...where, sample: { rows: MOST_ROWS, seed: this.seed } };
    for await (const chunk of this.reader.lines('source', this.table, [...this.keys, ...this.rest()], options)) {
      this.kernel.feed(lines, chunk, () => undefined);
      for (const fields of toLines(chunk)) this.originals.set(fields.slice(0, this.keys.length).join('\t'), fields.slice(this.keys.length));
    }
    this.kernel.sample('lines');
  }

  /** Sampled lines of the copy. */
  take(lines: readonly SampledLine[]): void {
    for (const { row, line } of lines) {
      const fields = Buffer.from(line).toString('latin1').split('\t');
      const at = (field: Field): string => fields[this.indexOf(field)] as string;
      const source = this.originals.get(this.keys.map(at).join('\t'));
      if (source) this.meet(source, this.matched.map(({ leaf }) => at(leaf.field)), row); // prettier-ignore
    }
  }

  /** After the copy was read: what has to be asked for by itself, and what was found. */
  async end(): Promise<readonly LawResult[]> {
    this.kernel.sample('off');
    if (this.keys.length === 0 && this.matched.length > 0) await this.meetByPlace();
    const others = this.all.filter((one) => !this.matched.includes(one));
    for (const one of others.filter(({ leaf }) => leaf.multiple)) await this.lookAlone([one]);
    await this.lookAlone(others.filter(({ leaf }) => !leaf.multiple));
    return this.all.map((one) => one.result());
  }

  private rest(): readonly Field[] {
    return [...this.persons, ...this.matched.map(({ leaf }) => leaf.field)];
  }

  private indexOf({ column }: Field): number {
    return this.fields.findIndex((field) => field.column === column && field.path === undefined);
  }

  private async meetByPlace(): Promise<void> {
    const sample = { rows: MOST_ROWS };
    const where = typeof this.table.rows === 'object' ? { where: this.table.rows.where } : {};
    const source = await this.read('source', this.rest(), { ...where, sample });
    const output = await this.read('staging', this.matched.map(({ leaf }) => leaf.field), { sample }); // prettier-ignore
    if (source.length === output.length) output.forEach((fields, row) => this.meet(source[row] as readonly string[], fields, row));
  }

  /** Outputs without their originals. */
  private async lookAlone(some: readonly LeafLaws[]): Promise<void> {
    if (some.length === 0) return;
    const fields = some.map(({ leaf }) => leaf.field);
    for (const line of await this.read('staging', fields, { sample: { rows: MOST_ROWS, seed: this.seed } }))
      some.forEach((one, i) => one.look(undefined, line[i] as string, undefined));
  }

  private async read(
    side: 'source' | 'staging',
    fields: readonly Field[],
    options: Parameters<Reader['lines']>[3],
  ): Promise<(readonly string[])[]> {
    const lines: (readonly string[])[] = [];
    let held = '';
    for await (const chunk of this.reader.lines(side, this.table, fields, options)) {
      const parts = (held + Buffer.from(chunk).toString('latin1')).split('\n');
      held = parts.pop() ?? '';
      for (const part of parts) lines.push(part.split('\t'));
    }
    return lines;
  }

  private meet(source: readonly string[], outputs: readonly string[], row: number): void {
    const originals = source.slice(this.persons.length);
    const looked = this.matched.map((one, i) => one.look(originals[i] as string, outputs[i] as string, row));
    const isKnown = this.persons.length > 0 && !source.slice(0, this.persons.length).includes('\\N');
    if (isKnown && isNear(this.table)) this.agree(looked, row);
  }

  /** What names one person agrees: the parts of a name, of an address. Only under one domain are they drawn together. */
  private agree(looked: readonly (Looked | undefined)[], row: number): void {
    const byDomain = new Map<string, { readonly one: LeafLaws; readonly bindings: Bindings }[]>();
    this.matched.forEach((one, i) => {
      const bindings = looked[i]?.bindings;
      if (!bindings || one.leaf.rule.scope !== 'subject') return;
      const { domain } = one.leaf.rule;
      byDomain.set(domain, [...(byDomain.get(domain) ?? []), { one, bindings }]);
    });
    for (const some of byDomain.values()) {
      const wrong = findDisagreement(some.map(({ bindings }) => bindings));
      for (const { one, bindings } of some) one.agree(wrong === undefined || !bindings.has(wrong), some.length, row);
    }
  }
}

/** The person stands in this table or in the one that it refers to: then its key is known to be that of a person. */
function isNear(table: TablePlan): boolean {
  return table.hidden.every(({ purpose, via }) => purpose !== 'subject' || via.length <= 1);
}

/** Whole lines. */
function toLines(chunk: Uint8Array): (readonly string[])[] {
  const lines = Buffer.from(chunk).toString('latin1').split('\n').slice(0, -1);
  return lines.map((line) => line.split('\t'));
}
