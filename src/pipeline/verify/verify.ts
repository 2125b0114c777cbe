// verify comes as a stranger: it counts, digests, follows the keys and looks for originals. What it finds withholds the dataset.
import { type Finding, sortFindings, toError, toFinding } from '../../kernel/errors.js';
import { type Plan, type RulePlan, type TablePlan } from '../plan.js';
import type { Field, Reader, Receipt } from '../ports.js';
import { type Hit, OriginalSet } from './original-set.js';
import { TableDigest } from './table-digest.js';

export { type AttestOptions, type AttestState, type DatasetSeen, type Statement, attest } from './attest.js';
export { TableDigest } from './table-digest.js';

export interface VerifyOptions {
  readonly reader: Reader;
  readonly plan: Plan;
  /** The run's public nonce, 16 bytes. */
  readonly nonce: Uint8Array;
  /** Memory for originals: 2^n fingerprints of 4 bytes. */
  readonly slotsLog2: number;
  /** What the transform of a rule declares: `disjoint` outputs with their predicate are tested, the others are told as not tested. */
  outputSpace(rule: RulePlan): { readonly output: 'disjoint' | 'overlapping' | 'kept'; produces(text: Uint8Array): boolean };
}

/** What was decided for a column (or path) and what was seen. `zero`: no original may stand there, and none does unless `originals` > 0. */
export interface Verdict {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly path?: string;
  readonly verdict: 'zero' | 'not tested';
  readonly why: string;
  /** Rows of the output that hold an original outside the declared output space. */
  readonly originals: number;
}

export interface VerifyReport {
  readonly findings: readonly Finding[];
  readonly receipts: readonly Receipt[];
  readonly verdicts: readonly Verdict[];
}

interface Probe {
  readonly number: number;
  readonly table: TablePlan;
  readonly field: Field;
  readonly rule: RulePlan;
}

export class Verification {
  private readonly probes: readonly Probe[];
  private readonly untested: readonly Verdict[];
  private readonly set: OriginalSet;
  private parts = 1;
  /** The part of the originals that the set holds. */
  private part = 0;

  constructor(private readonly options: VerifyOptions) {
    const { plan, nonce } = options;
    const all = plan.tables.flatMap((table) => (table.rows === 'none' ? [] : fieldsUnderTest(table)));
    const tested = all.filter(({ rule }) => options.outputSpace(rule).output === 'disjoint');
    this.probes = tested.map((probe, i) => ({ ...probe, number: i + 1 }));
    this.untested = all
      .filter(({ rule }) => options.outputSpace(rule).output !== 'disjoint')
      .map((probe) => toVerdict(probe, 'not tested', `the output of ${probe.rule.transform} shares its space with originals`));
    this.set = new OriginalSet(options.slotsLog2, new DataView(nonce.buffer, nonce.byteOffset, 16).getBigUint64(0, true));
  }

  /** The pass over the source; it may run beside extraction, under the same snapshot. */
  async collect(): Promise<void> {
    for (;;) {
      await this.collectPart(0);
      if (!this.set.overflowed) return;
      this.parts *= 2;
      if (this.parts > 1024) throw toError('VERIFY_MEMORY', { stage: 'verify', amount: `2^${this.options.slotsLog2}` });
    }
  }

  /** Staging as the load left it, counted and digested: for `check`, when something else is going to write there before it. */
  async digest(): Promise<readonly Receipt[]> {
    const receipts: Receipt[] = [];
    for (const table of this.options.plan.tables) {
      const digest = new TableDigest(this.options.nonce);
      for await (const chunk of this.options.reader.lines('staging', table, table.columns.map(toField))) digest.update(chunk);
      receipts.push({ schema: table.schema, table: table.name, rows: digest.rows, bytes: digest.bytes, digest: digest.digest() });
    }
    return receipts;
  }

  /**
   * The pass over staging, after the data and the constraints are in. `receipts` are deliver's. They are compared with `loaded` where the
   * pipeline's own files wrote to staging after the load, else with what this pass sees; everything else is looked for in what is there now.
   */
  async check(receipts: readonly Receipt[], loaded?: readonly Receipt[]): Promise<VerifyReport> {
    const findings: Finding[] = [];
    const hits = new Map<string, { hit: Hit; rows: number }>();
    const onHit = (hit: Hit): void => {
      const key = `${hit.column}:${Buffer.from(hit.value).toString('latin1')}`;
      const known = hits.get(key);
      if (known) known.rows++;
      else hits.set(key, { hit, rows: 1 });
    };
    const own: Receipt[] = [];
    for (let part = 0; part < this.parts; part++) {
      if (part !== this.part) await this.collectPart(part);
      if (this.set.overflowed) throw toError('VERIFY_MEMORY', { stage: 'verify', amount: `2^${this.options.slotsLog2}` });
      for (const table of this.options.plan.tables) {
        const receipt = await this.checkTable(table, onHit);
        if (part === 0) own.push(receipt);
      }
    }
    const originals = await this.confirm([...hits.values()]);
    const verdicts = this.probes.map((probe) =>
      toVerdict(probe, 'zero', 'its pseudonyms cannot be originals', originals.get(probe.number) ?? 0),
    );
    for (const verdict of verdicts) if (verdict.originals > 0) findings.push(toFinding('VERIFY_ORIGINAL_FOUND', toWhere(verdict)));
    findings.push(...compareReceipts(this.options.plan, receipts, loaded ?? own), ...findChanges(loaded ?? own, own));
    findings.push(...(await this.options.reader.integrity()));
    return { findings: sortFindings(findings), receipts: own, verdicts: [...verdicts, ...this.untested] };
  }

  private async collectPart(part: number): Promise<void> {
    this.part = part;
    this.set.begin(part, this.parts);
    for (const group of groupFields(this.probes)) {
      this.set.stream(group.map(({ number }) => number));
      const fields = group.map(({ field }) => field);
      for await (const chunk of this.options.reader.lines('source', (group[0] as Probe).table, fields)) this.set.collect(chunk);
    }
  }

  private async checkTable(table: TablePlan, onHit: (hit: Hit) => void): Promise<Receipt> {
    const mine = this.probes.filter((probe) => probe.table === table);
    const digest = new TableDigest(this.options.nonce);
    const numbers = new Map(mine.filter(({ field }) => isPlain(field)).map(({ field, number }) => [field.column, number]));
    this.set.stream(table.columns.map(({ name }) => numbers.get(name) ?? 0));
    for await (const chunk of this.options.reader.lines('staging', table, table.columns.map(toField))) {
      digest.update(chunk);
      this.set.check(chunk, onHit);
    }
    for (const group of groupFields(mine.filter(({ field }) => !isPlain(field)))) {
      this.set.stream(group.map(({ number }) => number));
      const fields = group.map(({ field }) => field);
      for await (const chunk of this.options.reader.lines('staging', table, fields)) this.set.check(chunk, onHit);
    }
    return { schema: table.schema, table: table.name, rows: digest.rows, bytes: digest.bytes, digest: digest.digest() };
  }

  /** Rows per probe that hold an original: candidates outside the output space that the source really has, compared byte by byte. */
  private async confirm(candidates: readonly { hit: Hit; rows: number }[]): Promise<Map<number, number>> {
    const confirmed = new Map<number, number>();
    for (const probe of this.probes) {
      const space = this.options.outputSpace(probe.rule);
      const open = new Map<string, number>();
      for (const { hit, rows } of candidates) {
        if (hit.column === probe.number && !space.produces(unescape(hit.value))) open.set(Buffer.from(hit.value).toString('latin1'), rows);
      }
      if (open.size === 0) continue;
      let held = '';
      for await (const chunk of this.options.reader.lines('source', probe.table, [probe.field])) {
        const lines = (held + Buffer.from(chunk).toString('latin1')).split('\n');
        held = lines.pop() ?? '';
        for (const line of lines) {
          const rows = open.get(line);
          if (rows === undefined) continue;
          confirmed.set(probe.number, (confirmed.get(probe.number) ?? 0) + rows);
          open.delete(line);
        }
      }
    }
    return confirmed;
  }
}

function fieldsUnderTest(table: TablePlan): Probe[] {
  const probe = (field: Field, rule: RulePlan): Probe => ({ number: 0, table, field, rule });
  return table.columns.flatMap((column) => {
    const { rule, tag } = column;
    if (rule.paths) {
      return Object.entries(rule.paths)
        .filter(([, { tag: pathTag }]) => pathTag !== 'none')
        .map(([path, pathRule]) => probe({ ...toField(column), path }, pathRule));
    }
    const folded = column.type.base === 'citext' ? { folded: true } : {};
    return tag === 'none' ? [] : [probe({ ...toWholeField(column), ...folded }, rule)];
  });
}

/** One tag on an array speaks of its elements: as a whole, an empty array of the source would be found in any honest copy. */
function toWholeField(column: { readonly name: string; readonly type: Field['type']; readonly rule: RulePlan }): Field {
  const elements = column.type.element !== undefined && column.rule.transform !== 'null' && column.rule.transform !== 'keep';
  return elements ? { ...toField(column), path: '[]' } : toField(column);
}

function toField(column: { readonly name: string; readonly type: Field['type'] }): Field {
  return { column: column.name, type: column.type };
}

/** What stands in a line as the digest sees it; the others are asked for beside it. */
const isPlain = ({ path, folded }: Field): boolean => path === undefined && folded !== true;

/** Fields that one COPY can give: the single-valued ones of a table together, a multi-valued one alone. */
function groupFields(probes: readonly Probe[]): Probe[][] {
  const groups = new Map<string, Probe[]>();
  for (const probe of probes) {
    // Elements of a document repeat without saying so.
    const alone = probe.field.path?.includes('[]') === true || (probe.field.path !== undefined && probe.field.type.base === 'xml');
    const key = `${probe.table.oid}${alone ? `:${probe.number}` : ''}`;
    groups.set(key, [...(groups.get(key) ?? []), probe]);
  }
  return [...groups.values()];
}

/** Rows and digests must agree; where a masked partition key moves rows, they agree over all tables that go in through the same root. */
function compareReceipts(plan: Plan, delivered: readonly Receipt[], seen: readonly Receipt[]): Finding[] {
  const rootOf = new Map(plan.tables.map((t) => [`${t.schema}\u0000${t.name}`, `${t.loadInto.schema}\u0000${t.loadInto.name}`]));
  const sum = (receipts: readonly Receipt[]): Map<string, { rows: number; digest: bigint }> => {
    const sums = new Map<string, { rows: number; digest: bigint }>();
    for (const receipt of receipts) {
      const key = rootOf.get(`${receipt.schema}\u0000${receipt.table}`) ?? '';
      const known = sums.get(key) ?? { rows: 0, digest: 0n };
      sums.set(key, { rows: known.rows + receipt.rows, digest: BigInt.asUintN(128, known.digest + BigInt(`0x${receipt.digest}`)) });
    }
    return sums;
  };
  const left = sum(delivered);
  return [...sum(seen)].flatMap(([key, there]) => {
    const [schema, table] = key.split('\u0000');
    const here = left.get(key) ?? { rows: 0, digest: 0n };
    const where = { stage: 'verify', schema, table };
    if (here.rows !== there.rows)
      return [toFinding('VERIFY_ROWS_DIFFER', { ...where, amount: `${here.rows} delivered, ${there.rows} there` })];
    return here.digest === there.digest ? [] : [toFinding('VERIFY_DIGEST_DIFFERS', where)];
  });
}

/** What the pipeline's own files changed: told, so that a dataset never holds rows that nobody knows of. Both lists are in the plan's order. */
function findChanges(loaded: readonly Receipt[], seen: readonly Receipt[]): Finding[] {
  return seen.flatMap(({ schema, table, rows, digest }, i) => {
    const before = loaded[i] as Receipt;
    if (before.digest === digest) return [];
    return [toFinding('VERIFY_AFTER_CHANGED', { stage: 'verify', schema, table, amount: `${before.rows} rows, ${rows} after` }, 'warning')];
  });
}

function toVerdict({ table, field }: Probe, verdict: Verdict['verdict'], why: string, originals = 0): Verdict {
  const path = field.path === undefined ? {} : { path: field.path };
  return { schema: table.schema, table: table.name, column: field.column, ...path, verdict, why, originals };
}

function toWhere({ schema, table, column, path, originals }: Verdict): Finding['where'] {
  return { stage: 'verify', schema, table, column, path, amount: `${originals} rows` };
}

/** The bytes of a COPY field without its backslashes (PostgreSQL manual, COPY, "Text Format"); octal and hex forms are never printed. */
function unescape(field: Uint8Array): Uint8Array {
  const letters: Readonly<Record<number, number>> = { 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9, 0x76: 11 };
  const bytes: number[] = [];
  for (let i = 0; i < field.length; i++) {
    const byte = field[i] as number;
    if (byte !== 0x5c) bytes.push(byte);
    else {
      const next = field[++i] as number;
      bytes.push(letters[next] ?? next);
    }
  }
  return Uint8Array.from(bytes);
}
