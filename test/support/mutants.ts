// A table of one masked column in memory, masked as a run masks it, and the verification of it: honest, or with one cell in a thousand let through.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse } from 'yaml';

import type { Finding } from '../../src/kernel/errors.js';
import { packageFile } from '../../src/kernel/package-root.js';
import type { TableName } from '../../src/pipeline/catalogue.js';
import { createMasker, outputSpace, prepareMask, toCanonicalForm, type Transform, withDefaults } from '../../src/pipeline/mask/mask.js';
import type { Plan } from '../../src/pipeline/plan.js';
import type { Field, LineOptions, Reader } from '../../src/pipeline/ports.js';
import { poissonTail, unlikely } from '../../src/pipeline/verify/chance.js';
import { Verification, type Verdict } from '../../src/pipeline/verify/verify.js';
import type { LawCase } from '../laws/inputs/law-inputs.js';
import { formatLines } from '../laws/copy-text.reference.js';
import { toDataType } from './apply-transform.js';
import { createTestKeys, toBatch, toHidden, toPlan, toRule, toType } from './mask-plan.js';

/** Rows of one batch, as extraction would cut them. */
const BATCH_ROWS = 10_000;
/** Odd, so that chunks cut lines anywhere. */
const CHUNK_BYTES = 65_521;

export interface Copied {
  readonly plan: Plan;
  /** Fields as COPY prints them. */
  readonly source: readonly string[];
  readonly output: readonly string[];
}

export interface Looked {
  readonly findings: readonly Finding[];
  readonly verdicts: readonly Verdict[];
}

/** How likely the likeliest original comes out as it was; 0 where that hangs on its length; undefined where the transform claims nothing. */
export function toChance(transform: Transform, each: LawCase): number | undefined {
  const { fixedPoints } = outputSpace(toColumnRule(transform, each), toDataType(each.type));
  if (fixedPoints === undefined || typeof fixedPoints === 'number') return fixedPoints;
  if ('drawn' in fixedPoints) return 0;
  const byText = new Map<string, number>();
  for (const [text, chance] of fixedPoints) byText.set(text.toLowerCase(), (byText.get(text.toLowerCase()) ?? 0) + chance);
  return [...byText.values()].reduce((most, chance) => Math.max(most, chance), 0);
}

/** The rows of the table masked under a key; persons are rows. */
export async function copyOf(transform: Transform, each: LawCase, rows: number, phrase: string, seed: number): Promise<Copied> {
  const type = toDataType(each.type);
  const sketch = [
    { name: 'id', type: toType('int8') },
    { name: 'value', type, rule: toColumnRule(transform, each), tag: toTag(transform) },
  ];
  const bare = toPlan(sketch, [toHidden('subject', 'id'), toHidden('row', 'id')]);
  const [table] = bare.tables;
  const plan = { ...bare, tables: [{ ...table, pairing: { by: 'key', columns: ['id'] } }] } as unknown as Plan;
  const masker = createMasker(await prepareMask(plan, createTestKeys(phrase)), 0);
  const source = fc.sample(each.value, { seed, numRuns: rows }).map((value) => formatLines([[value]]).slice(0, -1));
  const output: string[] = [];
  for (let from = 0; from < rows; from += BATCH_ROWS) {
    const lines = source.slice(from, from + BATCH_ROWS).map((value, i) => `${from + i}\t${value}\t${from + i}\t${from + i}\n`);
    const masked = masker.mask(toBatch(lines.join('')));
    const text = Buffer.from(masked.bytes).toString();
    for (const line of text.split('\n').slice(0, -1)) output.push(line.slice(line.indexOf('\t') + 1));
  }
  return { plan, source, output };
}

/** One cell in a thousand as it was. */
export function letThrough(copied: Copied): Copied {
  return { ...copied, output: copied.output.map((value, row) => (row % 1000 === 7 ? (copied.source[row] as string) : value)) };
}

/**
 * How many rows it takes until one in a thousand is told from the unchanged ones that an honest copy of 20,000 rows may have: 20,000 where these are
 * few, more where the declared chance is near one in a thousand.
 */
export function rowsToTell({ verdicts: [verdict] }: Looked): number {
  const { distinct, expected } = verdict?.pairs ?? { distinct: 1, expected: 0 };
  const share = expected / Math.max(1, distinct);
  // A fifth of the cells may be of values that stand there twice, or hold nothing to mask.
  return [20_000, 60_000, 250_000].find((rows) => poissonTail(rows * 0.0008, rows * share) < unlikely) ?? 1_000_000;
}

export async function lookAt({ plan, source, output }: Copied): Promise<Looked> {
  const reader = new TableInMemory({ source, staging: output });
  const slotsLog2 = Math.max(17, Math.ceil(Math.log2(source.length)) + 3);
  const verification = new Verification({ reader, plan, nonce: Uint8Array.from({ length: 16 }, (_, i) => i * 13), slotsLog2, outputSpace });
  await verification.collect();
  const loaded = await verification.digest();
  return verification.check(loaded, loaded);
}

function toColumnRule(transform: Transform, each: LawCase): ReturnType<typeof toRule> {
  const params = withDefaults(transform, each.params ?? {});
  if (!params) throw new Error(`${transform.name} has parameters without a default`);
  const { uniqueness, reveals } = transform;
  const canonical = toCanonicalForm(toDataType(each.type));
  return toRule(transform.name, { params, scope: transform.scopes[0], canonical, uniqueness, reveals });
}

type RuleText = string | { readonly transform: string };
let rules: readonly (readonly [string, RuleText | readonly RuleText[]])[] | undefined;

/** The first tag that rulebook `default` masks so; one that nobody knows where it masks none so. */
function toTag({ name }: Transform): string {
  const text = (): string => readFileSync(packageFile('src', 'pipeline', 'mask', 'rulebooks', 'default.yaml'), 'utf8');
  rules ??= Object.entries((parse(text()) as { rules: Record<string, RuleText | RuleText[]> }).rules);
  const uses = (rule: RuleText): boolean => (typeof rule === 'string' ? rule : rule.transform) === name;
  const found = rules.find(([tag, some]) => tag !== 'none' && [some].flat().some((rule) => uses(rule)));
  return found?.[0] ?? 'pii.test';
}

/** The Reader's contract for one table whose columns are `id`, which is the row's number, and `value`. */
class TableInMemory implements Reader {
  constructor(private readonly sides: Readonly<Record<'source' | 'staging', readonly string[]>>) {}

  async *lines(
    side: 'source' | 'staging',
    _: TableName,
    fields: readonly Field[],
    { sample }: LineOptions = {},
  ): AsyncIterable<Uint8Array> {
    const all = this.sides[side];
    // Every so many rows; the seed says where it begins.
    const step = sample ? Math.ceil(all.length / sample.rows) : 1;
    const first = sample?.seed === undefined ? 0 : sample.seed % step;
    const values = step === 1 ? all : all.filter((_value, i) => i % step === first);
    let held: Buffer = Buffer.alloc(0);
    for (let from = 0; from < values.length; from += BATCH_ROWS) {
      const some = values.slice(from, from + BATCH_ROWS);
      const toRow = (i: number): string => String((from + i) * step + first);
      const lines = some.map((value, i) => `${fields.map(({ column }) => (column === 'id' ? toRow(i) : value)).join('\t')}\n`);
      held = Buffer.concat([held, Buffer.from(lines.join(''))]);
      for (; held.length > CHUNK_BYTES; held = held.subarray(CHUNK_BYTES)) yield held.subarray(0, CHUNK_BYTES);
    }
    yield await Promise.resolve(held);
  }

  relations(): ReturnType<Reader['relations']> {
    const columns = ['id', 'value'].map((name) => ({ name, base: name === 'id' ? 'int8' : 'text', array: false, generated: false }));
    return Promise.resolve([{ schema: 'public', name: 'person', columns }]);
  }

  integrity(): ReturnType<Reader['integrity']> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
