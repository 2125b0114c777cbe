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
  if (!single) return value.toExponential();
  for (let decimals = 0; decimals < 8; decimals++) {
    const text = value.toExponential(decimals);
    if (Math.fround(Number(text)) === value) return text;
  }
  return value.toExponential(8);
}
