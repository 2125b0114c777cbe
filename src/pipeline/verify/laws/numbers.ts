// Laws of numbers.

/** A number of the same sign and as many digits, zeros before it included; decimals that are zeros do not count. */
export function isMagnitudeKept(original: string, output: string): boolean | undefined {
  const toParts = (text: string): RegExpExecArray | null => /^(-?)(0*)(\d*?)(?:\.0*)?$/.exec(text);
  const [before, after] = [toParts(original), toParts(output)];
  if (!before) return undefined;
  return after !== null && before[1] === after[1] && before[2] === after[2] && before[3]?.length === after[3]?.length;
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?$/;
const float = /^(-?)(\d)(?:\.\d+)?e([+-]\d+)$/;

/** No further away than the share of the original and a unit of its last place, and on the same side of 0; float4 has 24 bits. */
export function isNear(ratio: number, original: string, output: string, isSingle: boolean): boolean | undefined {
  if (/^(NaN|-?Infinity)$/.test(original)) return original === output;
  const plain = decimal.exec(original);
  if (!plain && !float.test(original)) return undefined;
  if (!decimal.test(output) && !float.test(output)) return false;
  const [before, after] = [Number(original), Number(output)];
  const unit = plain ? 10 ** -(plain[3]?.length ?? 0) : Number.MIN_VALUE;
  const most = Math.abs(before) * (ratio * (1 + 1e-9) + (isSingle ? 2 ** -22 : 2 ** -50)) + unit * (1 + 1e-9);
  return Math.abs(after - before) <= most && (before === 0 ? after === 0 : Math.sign(before) === Math.sign(after));
}

/** The beginning of the band, counted from 0 outwards; of a float with an exponent its first digit, or 0. */
export function isBandOf(width: number, original: string, output: string): boolean | undefined {
  if (/^(NaN|-?Infinity)$/.test(original)) return original === output;
  const [, sign = '', exponent = ''] = /^(-?\d)(?:\.\d+)?e([+-]\d+)$/.exec(original) ?? [];
  if (exponent !== '') return Number(output) === (exponent.startsWith('-') ? 0 : Number(`${sign}e${exponent}`));
  const [, minus = '', digits = ''] = decimal.exec(original) ?? [];
  if (digits === '') return undefined;
  const whole = BigInt(digits);
  const band = whole - (whole % BigInt(width));
  const text = output.replace(/\.0+$/, '');
  if (float.test(text)) return Number(text) === Number(`${minus}${band}`);
  return text === `${band === 0n ? '' : minus}${band}`;
}
