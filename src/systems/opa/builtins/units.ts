// units.parse and units.parse_bytes: amounts with SI and binary units, exact by integers.
import { Num, toDecimal } from '../value.js';
import type { Family } from './builtin.js';
import { attempt, textOf, unfit } from './operand.js';

const powers = ['k', 'm', 'g', 't', 'p', 'e'];
const factors = new Map<string, bigint>([['', 1n]]);
for (const [at, unit] of powers.entries()) {
  factors.set(unit, 1000n ** BigInt(at + 1));
  factors.set(`${unit}i`, 1024n ** BigInt(at + 1));
}

interface Amount {
  readonly digits: bigint;
  readonly exponent: number;
  readonly unit: string;
}

/** An amount as far as it is digits, a point, a sign or an exponent; what follows is the unit. */
function parse(text: string): Amount {
  if (text.includes(' ')) return unfit();
  const [, number = '', unit = ''] = /^((?:[0-9.+-]|[eE](?=[0-9+-])[+-]?)*)(.*)$/s.exec(text) ?? [];
  if (/[eE][+-]?\d{7,}/.test(number) || !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(number)) return unfit();
  const { digits, exponent } = attempt(() => toDecimal(number.replace(/^\+/, '')));
  // OPA allows more and takes its time; nobody has that many bytes.
  if (Math.abs(exponent) > 1000) return unfit();
  return { digits, exponent, unit };
}

/** digits × 10^exponent × factor as a fraction. */
function toFraction({ digits, exponent }: Amount, factor: bigint): readonly [bigint, bigint] {
  return exponent >= 0 ? [digits * factor * 10n ** BigInt(exponent), 1n] : [digits * factor, 10n ** BigInt(-exponent)];
}

/** With ten digits after the point, half away from zero, unless it is whole. */
function toNumber(numerator: bigint, denominator: bigint): Num {
  if (numerator % denominator === 0n) return new Num(numerator / denominator);
  const size = numerator < 0n ? -numerator : numerator;
  const scaled = (size * 10n ** 10n * 2n + denominator) / (denominator * 2n);
  const text = scaled.toString().padStart(11, '0');
  return new Num(`${numerator < 0n ? '-' : ''}${text.slice(0, -10)}.${text.slice(-10)}`);
}

export const unitBuiltins: Family = {
  'units.parse': ([given]) => {
    const amount = parse(textOf(given).replaceAll('"', ''));
    // Only here is there a difference between milli and mega, so only the first letter keeps its case.
    const unit = amount.unit.slice(0, 1) + amount.unit.slice(1).toLowerCase();
    if (unit === 'm') {
      // OPA's milli is the double that is nearest to a thousandth, exactly.
      const [numerator, denominator] = toFraction(amount, 1152921504606847n);
      return toNumber(numerator, denominator * 2n ** 60n);
    }
    const factor = factors.get(unit.toLowerCase()) ?? unfit();
    return toNumber(...toFraction(amount, factor));
  },
  'units.parse_bytes': ([given]) => {
    const amount = parse(textOf(given).replaceAll('"', '').toLowerCase());
    const factor = factors.get(amount.unit.replace(/^([kmgtpe]i?)b$/, '$1')) ?? unfit();
    const [numerator, denominator] = toFraction(amount, factor);
    return new Num(numerator / denominator);
  },
};
