// verify comes as a stranger: it counts, digests, follows the keys and looks for originals. What it finds withholds the dataset.
import { type Finding, sortFindings } from '../../kernel/errors.js';
import type { DataType, TableName } from '../catalogue.js';
import type { OutputClaim } from '../output-claim.js';
import type { Plan, RulePlan, TablePlan } from '../plan.js';
import type { Reader, Receipt, Relation } from '../ports.js';
import { Candidates, type Place } from './candidates.js';
import { FieldTables } from './field-table.js';
import { type Layout, type Laid, OutputLayout } from './output-layout.js';
import { LawSample } from './law-sample.js';
import type { LawResult } from './leaf-laws.js';
import { type Leaf, toLeaves } from './leaves.js';
import { Originals } from './originals.js';
import { judgePairs, type PairJudgement } from './pair-judgement.js';
import { compareReceipts, findChanges, toChanged } from './receipts.js';
import { RowPairs } from './row-pairs.js';
import { hitKinds, SearchKernel } from './search-kernel.js';
import { TableDigest } from './table-digest.js';
import { toLawFindings, toVerdicts, type Verdict } from './verdict.js';

export type { Verdict } from './verdict.js';

export { type AttestOptions, type AttestState, type DatasetSeen, type Statement, attest } from './attest.js';
export { type JudgedChecks, comparesVersions, judgeChecks, toCheckFindings, toCountDigest, toSeen } from './judge-checks.js';
export { compareReceipts } from './receipts.js';
export { type PersonTable, type TriedRows, judgePrivacy, measureTables, tryDictionary } from './privacy/privacy.js';
export { TableDigest } from './table-digest.js';

export interface VerifyOptions {
  readonly reader: Reader;
  readonly plan: Plan;
  /** The run's public nonce, 16 bytes. */
  readonly nonce: Uint8Array;
  /** Memory for originals: 2^n fingerprints of 4 bytes, and half as much for what pairs are compared by. */
  readonly slotsLog2: number;
  /** What the transform of a rule declares about its output for a type. */
  outputSpace(rule: RulePlan, type: DataType): OutputClaim;
}

export interface VerifyReport {
  readonly findings: readonly Finding[];
  readonly receipts: readonly Receipt[];
  readonly verdicts: readonly Verdict[];
}

/** What a look at staging was for: all of it, or one of its halves where the pipeline's own files write between two looks. */
interface Aim {
  readonly pairs: boolean;
  readonly search: boolean;
}

const nothingSeen: PairJudgement = { findings: [], byLeaf: new Map() };

export class Verification {
  private readonly leaves: readonly Leaf[];
  private readonly kernel: SearchKernel;
  private readonly tables: FieldTables;
  private readonly originals: Originals;
  private judgement: PairJudgement = nothingSeen;
  private readonly rowsOf = new Map<string, number>();
  private lawResults: readonly LawResult[] = [];

  constructor(private readonly options: VerifyOptions) {
    const { plan, nonce, reader, slotsLog2 } = options;
    this.leaves = toLeaves(plan, (rule, type) => options.outputSpace(rule, type));
    const seed = new DataView(nonce.buffer, nonce.byteOffset, 16).getBigUint64(0, true);
    this.kernel = new SearchKernel(slotsLog2, Math.max(8, slotsLog2 - 2), seed);
    this.tables = new FieldTables(this.kernel);
    this.originals = new Originals(reader, this.kernel, this.tables, this.leaves, `2^${slotsLog2}`);
  }

  /** The pass over the source; it may run beside extraction, under the same snapshot. */
  async collect(): Promise<void> {
    await this.originals.collect();
  }

  /**
   * Staging as the load left it, for `check`, when something else is going to write there before it: counted, digested, its rows compared
   * with those of the source.
   */
  async digest(): Promise<readonly Receipt[]> {
    return this.look({ pairs: true, search: false }, new Candidates());
  }

  /**
   * The pass over staging, after the data and the constraints are in. `receipts` are deliver's. They are compared with `loaded` where the
   * pipeline's own files wrote to staging after the load, else with what this pass sees; everything else is looked for in what is there now.
   */
  async check(receipts: readonly Receipt[], loaded?: readonly Receipt[]): Promise<VerifyReport> {
    const { plan, reader } = this.options;
    const candidates = new Candidates();
    const own = await this.look({ pairs: loaded === undefined, search: true }, candidates);
    await candidates.confirm(this.originals);
    const { findings: originals, found } = candidates.judge(this.originals, this.leaves);
    const findings = [
      ...originals,
      ...this.judgement.findings,
      ...this.lawResults.flatMap(toLawFindings),
      ...compareReceipts(plan, receipts, loaded ?? own),
      ...findChanges(loaded ?? own, own),
      ...(await reader.integrity()),
    ];
    const changed = toChanged(loaded ?? own, own);
    const verdicts = toVerdicts(this.leaves, this.originals, this.judgement, found, this.rowsOf, changed, this.lawResults);
    return { findings: sortFindings(findings), receipts: own, verdicts };
  }

  /** One reading of everything in staging that holds rows; more, where the originals did not fit. */
  private async look(aim: Aim, candidates: Candidates): Promise<readonly Receipt[]> {
    const { plan, reader } = this.options;
    if (aim.pairs) {
      this.judgement = nothingSeen;
      this.lawResults = [];
    }
    const relations = await reader.relations();
    const layout = new OutputLayout(this.tables, this.originals, this.leaves, aim);
    const receipts: Receipt[] = [];
    for (const table of plan.tables) receipts.push(await this.readTable(table, relations, layout, candidates, aim));
    for (const relation of relations.filter((one) => aim.search && !isPlanned(plan, one)))
      await this.readOther(relation, layout, candidates);
    for (let part = 1; aim.search && part < this.originals.numberOfParts; part++) {
      await this.originals.hold(part);
      for (const laid of layout.done) await this.search(laid, candidates);
    }
    return receipts;
  }

  private async readTable(
    table: TablePlan,
    relations: readonly Relation[],
    layout: OutputLayout,
    candidates: Candidates,
    aim: Aim,
  ): Promise<Receipt> {
    if (aim.search) await this.originals.hold(0);
    const relation = relations.find((one) => isSame(one, table));
    const pairs = aim.pairs ? this.preparePairs(table) : [];
    const single = pairs.find(({ group }) => !group.multiple);
    const laid = layout.table(table, relation, single);
    const digest = new TableDigest(this.options.nonce, laid.extras);
    const broken = new Map<Place, { rows: number; first: number }>();
    const sample = aim.pairs ? this.prepareSample(table, laid) : undefined;
    await sample?.begin();
    const feed = this.feeding(laid, candidates, broken, digest, sample);
    if (single) await single.compare(feed);
    else {
      this.kernel.noPairs();
      for await (const chunk of feed.chunks) feed.feed(chunk);
    }
    if (sample) this.lawResults = [...this.lawResults, ...(await sample.end())];
    for (const extra of layout.multiple(table)) await this.search(extra, candidates, broken);
    for (const pair of pairs) if (pair !== single) await pair.compare();
    if (aim.pairs) this.judgement = await judgePairs(this.options.reader, this.judgement, pairs, broken);
    const { schema, name } = table;
    this.rowsOf.set(`${schema}\u0000${name}`, digest.rows);
    return { schema, table: name, rows: digest.rows, bytes: digest.bytes, digest: digest.digest() };
  }

  private async readOther(relation: Relation, layout: OutputLayout, candidates: Candidates): Promise<void> {
    const laid = layout.relation(relation);
    if (laid) await this.search(laid, candidates);
  }

  private async search(laid: Laid, candidates: Candidates, broken = new Map<Place, { rows: number; first: number }>()): Promise<void> {
    this.kernel.noPairs();
    const feed = this.feeding(laid, candidates, broken);
    for await (const chunk of feed.chunks) feed.feed(chunk);
  }

  private feeding(
    laid: Laid,
    candidates: Candidates,
    broken: Map<Place, { rows: number; first: number }>,
    digest?: TableDigest,
    sample?: LawSample,
  ): Layout {
    const lines = this.kernel.lines(laid.at, false);
    const chunks = this.options.reader.lines('staging', laid.of, laid.fields);
    const feed = (chunk: Uint8Array): void => {
      digest?.update(chunk);
      this.kernel.feed(lines, chunk, (hit) => {
        const place = laid.places[hit.column] as Place;
        if (hit.kind !== hitKinds.law) return candidates.add(place, hit);
        const known = broken.get(place);
        if (known) known.rows++;
        else broken.set(place, { rows: 1, first: hit.row });
      });
      sample?.take(this.kernel.sampled());
      for (const place of laid.places) place.rows = lines.rows;
    };
    return { chunks, lines, feed };
  }

  private prepareSample(table: TablePlan, laid: Laid): LawSample {
    const { reader, nonce } = this.options;
    const seed = new DataView(nonce.buffer, nonce.byteOffset, 16).getUint32(8, true);
    const leaves = this.leaves.filter((leaf) => leaf.table === table);
    return new LawSample(reader, this.kernel, this.tables, table, leaves, seed, laid.fields);
  }

  private preparePairs(table: TablePlan): readonly RowPairs[] {
    const { reader } = this.options;
    const wanted = this.leaves.filter((leaf) => leaf.table === table && this.needsPairs(leaf));
    if (table.pairing === undefined) return [];
    const single = wanted.filter(({ multiple }) => !multiple);
    const groups = [
      ...(single.length > 0 ? [{ table, leaves: single, multiple: false }] : []),
      ...wanted.filter(({ multiple }) => multiple).map((leaf) => ({ table, leaves: [leaf], multiple: true })),
    ];
    return groups.map((group) => {
      return new RowPairs(reader, this.kernel, this.tables, group, (leaf) => this.toRuleSeed(leaf));
    });
  }

  /** Where no original lies in the output space, none may stand anywhere, and there is nothing to compare. */
  private needsPairs(leaf: Leaf): boolean {
    const { claim } = leaf;
    return claim.fixedPoints !== undefined && (claim.output !== 'disjoint' || this.originals.of(leaf).inSpace > 0);
  }

  /** The same for leaves whose pseudonyms have to agree: one rule, one type. */
  private toRuleSeed({ rule, type }: Leaf): bigint {
    const text = JSON.stringify([rule.transform, rule.params, rule.scope, rule.domain, rule.preparedFor, type.display]);
    let seed = 0xcbf29ce484222325n;
    for (const byte of Buffer.from(text)) seed = BigInt.asUintN(64, (seed ^ BigInt(byte)) * 0x100000001b3n);
    return seed;
  }
}

function isSame(a: TableName, b: TableName): boolean {
  return a.schema === b.schema && a.name === b.name;
}

function isPlanned(plan: Plan, relation: TableName): boolean {
  return plan.tables.some((table) => isSame(table, relation));
}
