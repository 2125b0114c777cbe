// hot path: a float as the server prints it (float4out, float8out with extra_float_digits 1): the fewest digits that read back as the same float, with an
// exponent of at least two digits below 10^-4 and from 10^15 (float4: 10^6) on.

/** The text that the server prints of the number that it reads in `text`. */
export function toFloatText(text: string, single: boolean): string {
  const value = single ? Math.fround(Number(text)) : Number(text);
  if (!Number.isFinite(value)) return text;
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', power = ''] = toShortest(value, single).split('e');
  const exponent = Number(power);
  const sign = value < 0 ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < -4 || exponent >= (single ? 6 : 15)) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits.slice(0, 1)}${digits.length > 1 ? `.${digits.slice(1)}` : ''}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}${digits.length > exponent + 1 ? `.${digits.slice(exponent + 1)}` : ''}`;
}

/** `d.ddde±x` without trailing zeros. */
function toShortest(value: number, single: boolean): string {
  const first = single ? '' : value.toExponential();
  if (!single && !isMidpoint(first, value, single)) return first;
  const most = single ? 8 : 16;
  for (let decimals = single ? 0 : first.replace(/e.*|[-.]/g, '').length; decimals < most; decimals++) {
    const text = toRounded(value, decimals);
    if (read(text, single) === value && !isMidpoint(text, value, single)) return text;
  }
  return value.toExponential(most);
}

/** As toExponential, but of two texts that are equally near the even one, as the server takes it. */
function toRounded(value: number, decimals: number): string {
  const text = value.toExponential(decimals);
  const [mantissa = ''] = value.toExponential(decimals + 25).split('e');
  const last = Number(/\d(?=e)/.exec(text)?.[0]);
  const tie = /^50*$/.test(mantissa.slice(-25)) && last % 2 === 1;
  return tie ? text.replace(/\d(?=e)/, String(last - 1)) : text;
}

function read(text: string, single: boolean): number {
  return single ? Math.fround(Number(text)) : Number(text);
}

/**
 * Whether the text lies in the middle between two floats and is read as this one only because a tie goes to the even one: the server does not count on that.
 * Only whole numbers can; a middle with a fraction has more digits than its neighbours.
 */
function isMidpoint(text: string, value: number, single: boolean): boolean {
  if (Math.abs(value) < (single ? 2 ** 24 : 2 ** 53)) return false;
  const [mantissa = '', power = ''] = text.split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const named = BigInt(whole + fraction) * 10n ** BigInt(Math.max(0, Number(power) - fraction.length));
  const mirrored = 2n * named - BigInt(value);
  if (named === BigInt(value)) return false;
  const other = read(String(mirrored), single);
  return Number.isFinite(other) && BigInt(other) === mirrored;
}
