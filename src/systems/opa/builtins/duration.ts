// Durations as Go's time.ParseDuration reads them, with OPA's days, weeks and years.
import { unfit } from './operand.js';

const units: Readonly<Record<string, bigint>> = {
  ...{ ns: 1n, us: 1000n, µs: 1000n, μs: 1000n, ms: 1_000_000n, s: 1_000_000_000n, m: 60_000_000_000n, h: 3_600_000_000_000n },
  ...{ d: 86_400_000_000_000n, w: 604_800_000_000_000n, y: 31_536_000_000_000_000n },
};
const max = 2n ** 63n;

/** In nanoseconds. */
export function parseDuration(text: string): bigint {
  const [, sign = '', rest = ''] = /^([+-]?)(.+)$/s.exec(text) ?? [];
  if (rest === '0') return 0n;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|[smhdwy]))+$/.test(rest)) return unfit();
  let sum = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of rest.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|[smhdwy])/g)) {
    const scale = units[unit] ?? unfit();
    sum += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length);
  }
  const signed = sign === '-' ? -sum : sum;
  return signed >= max || signed < -max ? unfit() : signed;
}
