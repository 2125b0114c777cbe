// One rule at work on one column: canonical form, draws when the transform asks for them, the transform, and the text as the server prints it.
import { toError } from '../../kernel/errors.js';
import type { Column } from '../batch.js';
import type { DataType } from '../catalogue.js';
import type { RulePlan } from '../plan.js';
import { Canonicalizer, toCanonicalForm } from './canonical.js';
import { ColumnWriter } from './column-writer.js';
import { kernel } from './kernel/kernel.js';
import { type Place, spread } from './place.js';
import { BlockCipher } from './prf.js';
import { toPrinter } from './print.js';
import { transforms } from './registry.js';
import { type KeyPurpose, type KeyScope, type RuleKeys, toKeyLabel } from './rule-keys.js';
import { Draws, type Identity, type PersonDraws } from './seed.js';
import type { Apply, ApplyContext, Companion, Params, Transform } from './transform.js';
import { toTypeFamily } from './type-family.js';
import { loadWords } from './words.js';

/** Masks the values of a column; what it returns is valid until the next call. */
export interface ColumnRunner {
  /** True when no byte of the output needs an escape in COPY text. */
  readonly plain: boolean;
  run(column: Column, place: Place): Column;
}

export interface RunnerSetting {
  readonly scope: KeyScope;
  readonly keys: RuleKeys;
  /** Where the transforms come from; a test MAY bring its own. */
  readonly transforms: readonly Transform[];
  /** By key label, for the columns of one table. */
  readonly persons?: Map<string, PersonDraws>;
}

export function findTransform(name: string, among: readonly Transform[] = transforms): Transform | undefined {
  return among.find((transform) => transform.name === name);
}

/** Parameters as given, and the declared default for the rest. */
export function withDefaults(transform: Transform, params: Params): Params {
  const defaults = Object.entries(transform.params).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]]));
  return { ...(Object.fromEntries(defaults) as Params), ...params };
}

/** The type of a leaf inside JSON and hstore. */
export const leafType: DataType = { display: 'text', kind: 'base', base: 'text', deterministicCollation: true };

/** A leaf of JSON has no type of its own: a transform that takes no text takes it as the widest type that it does take. */
export function toWorkingType(transform: Transform, type: DataType): DataType {
  if (type !== leafType || accepts(transform, type)) return type;
  const bases: Readonly<Record<string, string>> = {
    integer: 'int8',
    number: 'numeric',
    inet: 'inet',
    mac: 'macaddr',
    timestamp: 'timestamptz',
  };
  const [family] = transform.accepts;
  const base = family && (bases[family] ?? family);
  return base ? { ...leafType, display: base, base } : type;
}

/** MUST be given a rule whose transform accepts the type (`findRuleProblem`); throws its problem otherwise. */
export function createScalarRunner(type: DataType, rule: RulePlan, identity: Identity, setting: RunnerSetting): ColumnRunner {
  const transform = findTransform(rule.transform, setting.transforms);
  if (!transform) throw toError('MASK_TRANSFORM_UNKNOWN', { ...identity, name: rule.transform, expected: 'null' });
  const working = toWorkingType(transform, type);
  if (!accepts(transform, working)) {
    throw toError('MASK_TRANSFORM_MISFIT', {
      ...identity,
      name: rule.transform,
      type: type.display,
      expected: transform.accepts.join(', '),
    });
  }
  const getKey = (purpose: KeyPurpose): Uint8Array => {
    const key = setting.keys.get(toKeyLabel(setting.scope, rule.domain, purpose));
    if (key?.length !== 32) throw toError('MASK_KEY_MISSING', { ...identity });
    return key;
  };
  // `keep` alone needs no key; everything else fails here and not at the first row. What is reversible draws nothing.
  const draws =
    rule.transform === 'keep' || transform.reversible ? null : new Draws(getKey('prf'), rule.scope, identity, toPersons(rule, setting));
  const purpose = transform.reversible ? 'token' : 'cipher';
  if (transform.reversible) getKey(purpose);
  let cipher: BlockCipher | undefined;
  const apply = transform.prepare({
    params: withDefaults(transform, rule.params),
    // Both ends of a key are disguised as the narrowest of their types, or they would not agree.
    type: rule.preparedFor ?? working,
    domain: rule.domain,
    encryptBlocks: (blocks) => (cipher ??= new BlockCipher(getKey(purpose))).encrypt(blocks),
    words: loadWords,
  });
  return new ScalarRunner(type, rule, transform, apply, draws);
}

function toPersons({ domain }: RulePlan, { scope, persons }: RunnerSetting): PersonDraws {
  const label = toKeyLabel(scope, domain, 'prf');
  const found = persons?.get(label) ?? {};
  persons?.set(label, found);
  return found;
}

export function accepts(transform: Transform, type: DataType): boolean {
  const family = toTypeFamily(type);
  return transform.accepts.includes('any') || (family !== undefined && transform.accepts.includes(family));
}

class ScalarRunner implements ColumnRunner {
  readonly plain: boolean;
  private readonly canonical: Canonicalizer;
  private readonly writer = new ColumnWriter();
  private readonly print: (column: Column) => Column;

  constructor(
    type: DataType,
    rule: RulePlan,
    private readonly transform: Transform,
    private readonly apply: Apply,
    private readonly draws: Draws | null,
  ) {
    this.plain = transform.plain;
    this.canonical = new Canonicalizer(
      rule.transform === 'keep' ? 'text' : rule.canonical === 'text' ? toCanonicalForm(type) : rule.canonical,
    );
    this.print = rule.transform === 'keep' ? (column) => column : toPrinter(type);
  }

  run(column: Column, place: Place): Column {
    const { writer } = this;
    const values = kernel().toMemory(this.canonical.apply(column));
    const context = this.toContext(values, place);
    for (;;) {
      const { buffer } = kernel().bytes;
      writer.reset(values.rows);
      try {
        const masked = this.apply(values, context, writer) ?? writer;
        if (masked !== writer || kernel().bytes.buffer === buffer) return this.print(masked);
      } catch (error) {
        if (kernel().bytes.buffer === buffer) throw error;
      }
      // The memory grew, and what the transform had been reading was gone under its eyes. Its draws are there now; once more.
    }
  }

  private toContext(values: Column, place: Place): ApplyContext {
    let drawn: number | undefined;
    return {
      draw: () => {
        drawn ??= this.draw(values, place);
        return kernel().bytes.subarray(drawn, drawn + 16 * values.rows);
      },
      refuse: (row) => place.fail('MASK_VALUE_REFUSED', place.rows ? (place.rows[row] as number) : row),
      companions: toCompanions(place, values.rows),
    };
  }

  private draw(values: Column, place: Place): number {
    if (this.draws) return this.draws.compute(values, place);
    throw new TypeError(`${this.transform.name} asked for draws without a key`);
  }
}

function toCompanions(place: Place, count: number): readonly Companion[] {
  const { rows, companions } = place;
  if (!rows) return companions;
  return companions.map(({ tag, original, masked }) => ({
    tag,
    original: spread(original, rows, count),
    masked: spread(masked, rows, count),
  }));
}
