// The axis of a chart: round numbers that hold every value, zero always among them.

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

const STEPS = [1, 2, 2.5, 5, 10];

/** Four to six ticks; whole ones where all values are whole. */
export function toScale(values: readonly number[]): Scale {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const span = high - low || 1;
  const size = 10 ** Math.floor(Math.log10(span / 5));
  const whole = values.every(Number.isInteger);
  const steps = STEPS.map((step) => step * size).filter((step) => !whole || Number.isInteger(step));
  const step = steps.find((one) => span / one <= 5.0001) ?? Math.max(1, Math.ceil(span / 5));
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  // 3 × 0.1 is not 0.3 by adding up: each tick is made from its number.
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return { low: ticks[0] ?? 0, high: ticks.at(-1) ?? 1, ticks };
}
