// Golden data of the transforms: test/vectors/<name>.json is a list of these. Written by hand without `out`, filled once by
// fill-vectors.ts, then frozen: a change of any output is a change of everybody's pseudonyms.
import { readFileSync, readdirSync } from 'node:fs';
import type { Params, Transform } from '../../src/pipeline/mask/transform.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { Refused, applyTransform, toDataType } from './apply-transform.js';

export interface VectorRow {
  in: string | null;
  /** What the draw is a function of; absent: the value as its type compares it. */
  seed?: string;
  out?: string | null;
  refuses?: true;
}

export interface Vectors {
  readonly transform: string;
  readonly params: Params;
  /** Short form, see toDataType. */
  readonly type: string;
  readonly key: string;
  readonly rows: VectorRow[];
}

export function vectorNames(): string[] {
  return readdirSync(packageFile('test', 'vectors'))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length));
}

export function loadVectors(name: string): Vectors[] {
  return JSON.parse(readFileSync(packageFile('test', 'vectors', `${name}.json`), 'utf8')) as Vectors[];
}

/** The row with what the transform says to it now. */
export function toFilledRow(transform: Transform, vectors: Vectors, { in: value, seed }: VectorRow): VectorRow {
  const asked = { in: value, ...(seed === undefined ? {} : { seed }) };
  try {
    const how = { params: vectors.params, type: toDataType(vectors.type), key: vectors.key };
    const [out = null] = applyTransform(transform, [value], seed === undefined ? how : { ...how, seeds: [seed] });
    return { ...asked, out };
  } catch (error) {
    if (error instanceof Refused) return { ...asked, refuses: true };
    throw error;
  }
}
