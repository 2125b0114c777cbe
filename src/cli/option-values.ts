// What the words of options mean. Each throws OPTION_INVALID.
import { InputError } from '../kernel/errors.js';

export function parseCount(name: string, text: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) < 1) throw new InputError('OPTION_INVALID', { name, expected: 'a number from 1 to 999' });
  return Number(text);
}

export function parseVersion(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InputError('OPTION_INVALID', { name, expected: 'the number of a version, from 1' });
  return Number(text);
}

export function parseHours(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) < 1)
    throw new InputError('OPTION_INVALID', { name: '--hours', expected: 'a number from 1 to 9999' });
  return Number(text);
}

/** `90s`, `30m`, `2h` or milliseconds with `ms`, as milliseconds. */
export function parseDuration(text: string): number {
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const factors: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  if (amount === undefined || unit === undefined)
    throw new InputError('OPTION_INVALID', { name: '--timeout', expected: 'a duration such as 90s, 30m or 2h' });
  return Number(amount) * (factors[unit] ?? 1);
}
