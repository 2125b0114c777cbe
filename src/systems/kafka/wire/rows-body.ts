// What stands in the control messages of a dataset that goes as rows: for whoever reads it and wants to know that he has all of it. Names of tables,
// topics and columns' counts; of a row its digest, with those of all others.
import { type Json } from '../../../kernel/canonical-json.js';

/** By topic, where each of its partitions stood: `[partition, offset]`. */
export type Places = Readonly<Record<string, readonly (readonly [partition: number, offset: string])[]>>;

/** `begin`: everything of this run comes behind these places, in these topics. */
export interface RowsBegin {
  readonly encoding: 'rows';
  readonly target: string;
  readonly version: number;
  readonly planDigest: string;
  /** The topics are this version's alone; else those of every version, written in one transaction. */
  readonly alone: boolean;
  readonly before: Places;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isPlace = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length === 2 &&
  Number.isSafeInteger(value[0]) &&
  typeof value[1] === 'string' &&
  /^\d{1,19}$/.test(value[1]);

/** Undefined: it is not of this form. */
export function parsePlaces(value: unknown): Places | undefined {
  const fits = isObject(value) && Object.values(value).every((one) => Array.isArray(one) && one.every(isPlace));
  return fits ? (value as Places) : undefined;
}

/** Undefined: it is not of this form. */
export function parseRowsBegin(body: Json): RowsBegin | undefined {
  if (!isObject(body) || body['encoding'] !== 'rows') return undefined;
  const { target, version, planDigest, alone, before } = body;
  const fits =
    typeof target === 'string' &&
    typeof planDigest === 'string' &&
    Number.isSafeInteger(version) &&
    (version as number) > 0 &&
    typeof alone === 'boolean' &&
    parsePlaces(before) !== undefined;
  return fits ? (body as unknown as RowsBegin) : undefined;
}

export const toPlaces = (positions: ReadonlyMap<string, ReadonlyMap<number, bigint>>): Places =>
  Object.fromEntries(
    [...positions].map(([topic, of]) => [topic, [...of].map(([partition, offset]) => [partition, String(offset)] as const)]),
  );

export const toPositions = (places: Places): ReadonlyMap<string, ReadonlyMap<number, bigint>> =>
  new Map(Object.entries(places).map(([topic, of]) => [topic, new Map(of.map(([partition, offset]) => [partition, BigInt(offset)]))]));
