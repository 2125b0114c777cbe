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
  const masker = createMasker(await prepareMask(plan, createTestKeys(phrase), createTestKeys(`${phrase} of tokens`)), 0);
  const source = draw(each, rows, seed).map((value) => formatLines([[value]]).slice(0, -1));
  const output: string[] = [];
  for (let from = 0; from < rows; from += BATCH_ROWS) {
    const lines = source.slice(from, from + BATCH_ROWS).map((value, i) => `${from + i}\t${value}\t${from + i}\t${from + i}\n`);
    const masked = masker.mask(toBatch(lines.join('')));
    const text = Buffer.from(masked.bytes).toString();
    for (const line of text.split('\n').slice(0, -1)) output.push(line.slice(line.indexOf('\t') + 1));
  }
  return { plan, source, output };
}

/** Where values are slow to draw, most are made of those that were drawn. */
function draw({ value, another }: LawCase, rows: number, seed: number): readonly string[] {
  const drawn = fc.sample(value, { seed, numRuns: another ? Math.min(rows, 20_000) : rows });
  return another ? Array.from({ length: rows }, (_, i) => drawn[i] ?? another(drawn[i % drawn.length] as string, i)) : drawn;
}

/** One cell in a thousand as it was. */
export function letThrough(copied: Copied): Copied {
  return { ...copied, output: copied.output.map((value, row) => (row % 1000 === 7 ? (copied.source[row] as string) : value)) };
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
  private readonly made = new Map<string, Buffer>();

  constructor(private readonly sides: Readonly<Record<'source' | 'staging', readonly string[]>>) {}

  async *lines(
    side: 'source' | 'staging',
    _: TableName,
    fields: readonly Field[],
    { sample }: LineOptions = {},
  ): AsyncIterable<Uint8Array> {
    const names = fields.map(({ column }) => column);
    const key = JSON.stringify([side, names, sample]);
    const bytes = this.made.get(key) ?? this.make(side, names, sample);
    // Asked for again, once for each look.
    this.made.set(key, bytes);
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield await Promise.resolve(bytes.subarray(at, at + CHUNK_BYTES));
  }

  private make(side: 'source' | 'staging', names: readonly string[], sample: LineOptions['sample']): Buffer {
    const all = this.sides[side];
    // Every so many rows; the seed says where it begins.
    const step = sample ? Math.ceil(all.length / sample.rows) : 1;
    const first = sample?.seed === undefined ? 0 : sample.seed % step;
    const parts: Buffer[] = [];
    let text = '';
    for (let row = first; row < all.length; row += step) {
      for (let i = 0; i < names.length; i++) text += (i === 0 ? '' : '\t') + (names[i] === 'id' ? String(row) : (all[row] as string));
      text += '\n';
      if (text.length < 1 << 18) continue;
      parts.push(Buffer.from(text));
      text = '';
    }
    return Buffer.concat([...parts, Buffer.from(text)]);
  }

  relations(): ReturnType<Reader['relations']> {
    const columns = ['id', 'value'].map((name) => ({ name, base: name === 'id' ? 'int8' : 'text', array: false, generated: false }));
    return Promise.resolve([{ schema: 'public', name: 'person', columns }]);
  }

  measure(): ReturnType<Reader['measure']> {
    return Promise.resolve([]);
  }

  frequencies(): ReturnType<Reader['frequencies']> {
    return Promise.resolve({ top: [] });
  }

  integrity(): ReturnType<Reader['integrity']> {
    return Promise.resolve([]);
  }

  count(): ReturnType<Reader['count']> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
