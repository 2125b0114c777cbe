// A double as Go's fmt writes it: %e, %f and %g, with a precision or in the shortest form that reads back the same.

/** `precision` undefined: shortest. `flags`: of `+`, space and `#`. */
export function formatFloat(value: number, verb: string, precision: number | undefined, flags: string): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const size = Math.abs(value);
  const lower = verb.toLowerCase();
  const text = lower === 'f' ? toFixed(size, precision) : lower === 'e' ? toExponent(size, precision) : toGeneral(size, precision);
  return sign + (verb === verb.toLowerCase() ? text : text.toUpperCase());
}

function toFixed(size: number, precision: number | undefined): string {
  if (precision === undefined) return toShortest(size);
  if (precision <= 100 && size < 1e21) return size.toFixed(precision);
  const whole = BigInt(Math.trunc(size)).toString();
  return precision === 0 ? whole : `${whole}.${'0'.repeat(precision)}`;
}

function toShortest(size: number): string {
  const [digits = '', power = '0'] = size.toExponential().split('e');
  const bare = digits.replace('.', '');
  const at = Number(power) + 1;
  if (at <= 0) return `0.${'0'.repeat(-at)}${bare}`;
  return at >= bare.length ? bare.padEnd(at, '0') : `${bare.slice(0, at)}.${bare.slice(at)}`;
}

/** Two digits at least in the exponent. */
function toExponent(size: number, precision: number | undefined): string {
  const text = precision === undefined ? size.toExponential() : size.toExponential(Math.min(precision, 100));
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** The exponent where it is below -4 or not below the precision; 21 counts as the precision of the shortest form. */
function toGeneral(size: number, precision: number | undefined): string {
  const digits = precision === undefined ? undefined : Math.max(precision, 1);
  const text = toExponent(size, digits === undefined ? undefined : digits - 1);
  const power = Number(text.split('e')[1]);
  const shortest = text.split('e')[0]?.replace('.', '').replace(/0+$/, '').length ?? 1;
  const limit = digits === undefined ? 21 : Math.max(digits, shortest > digits ? shortest : digits);
  if (power < -4 || power >= limit) return text.replace(/\.?0*e/, 'e').replace(/^e/, '0e');
  const fixed = digits === undefined ? toShortest(size) : toFixed(size, Math.max(digits - 1 - power, 0));
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}
