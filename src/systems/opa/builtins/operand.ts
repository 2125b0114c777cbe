// What a built-in is given, by type; the wrong type is an error of the built-in and thereby undefined, as in OPA.
import { Num, RegoObject, RegoSet, toDecimal, type Value } from '../value.js';

/** A built-in that cannot do what it is asked. Carries no text: it would hold input, and nobody reads it. */
export class BuiltinError extends Error {}

export function unfit(): never {
  throw new BuiltinError();
}

/** The result of a library's call; whatever it throws says that the input did not fit. */
export function attempt<T>(call: () => T): T {
  try {
    return call();
  } catch {
    throw new BuiltinError();
  }
}

export function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? value : unfit();
}

export function numberOf(value: Value | undefined): Num {
  return value instanceof Num ? value : unfit();
}

export function objectOf(value: Value | undefined): RegoObject {
  return value instanceof RegoObject ? value : unfit();
}

export function isArray(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

export function arrayOf(value: Value | undefined): readonly Value[] {
  return isArray(value) ? value : unfit();
}

/** Of an array or a set. */
export function itemsOf(value: Value | undefined): readonly Value[] {
  return value instanceof RegoSet ? value.sorted() : arrayOf(value);
}

/** An integer, however it is written: 10, 1e1, 10.0. */
export function toInteger(literal: string): bigint | undefined {
  const { digits, exponent } = toDecimal(literal);
  if (exponent < 0 || exponent > 10_000) return undefined;
  return digits * 10n ** BigInt(exponent);
}

export function bigintOf(value: Value | undefined): bigint {
  return toInteger(numberOf(value).literal) ?? unfit();
}

/** An integer that is exact as a double. */
export function integerOf(value: Value | undefined): number {
  const integer = Number(bigintOf(value));
  return Number.isSafeInteger(integer) ? integer : unfit();
}

/** What is there, null included. */
export function present<T>(value: T | undefined): T {
  return value === undefined ? unfit() : value;
}

/** A member that may be left out; one that is null is there, and has to be a text. */
export function optionalText(object: RegoObject, name: string, otherwise = ''): string {
  const value = object.get(name);
  return value === undefined ? otherwise : textOf(value);
}

/** The arguments of a built-in, in their order. */
export type Args = readonly Value[];
