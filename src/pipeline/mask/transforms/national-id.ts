// hot path: a number in the form of a US Social Security number (nine digits, any separators) from the areas that are never issued; any other
// national number keeps its pattern and gets drawn letters and digits. `space: format` is a bijection over all letters and digits instead.
import type { Column } from '../../batch.js';
import { CharacterPermutation } from '../permutation/character-permutation.js';
import { copyAll } from '../permutation/decimal-key.js';
import { drawCharacters } from '../permutation/drawn-characters.js';
import { toIndex } from '../draw.js';
import { kernel, toUndefined } from '../kernel/kernel.js';
import { type ApplyContext, defineTransform } from '../transform.js';
import { sameKinds } from '../text-laws.js';

const DIGITS = 9;

/** Whether a text is nine digits with nothing but spaces and hyphens between. */
function isNineDigits(bytes: Uint8Array, start: number, end: number): boolean {
  let count = 0;
  for (let i = start; i < end; i++) {
    const code = bytes[i] as number;
    if (code >= 0x30 && code <= 0x39) count++;
    else if (code !== 0x20 && code !== 0x2d) return false;
  }
  return count === DIGITS;
}

/** A column of nothing but nine digits, char(n) without padding; undefined for any other. */
function writeNineDigits(column: Column, context: ApplyContext, area: number): Column | undefined {
  const memory = kernel();
  const { rows, startsAt, endsAt } = memory.toMemory(column);
  const draws = memory.addressOf(context.draw());
  return memory.write(rows, (...to) => memory.calls.writeNineDigits(startsAt, endsAt, rows, draws, area, ...to), toUndefined);
}

/** Of nine digits in the area, or no nine digits at all. */
function toReservedForm(area: string): string {
  const areas = (area === 'both' ? ['000', '666'] : [area]).map((one) => [...one].join('[ -]*')).join('|');
  return `[ -]*(${areas})([ -]*[0-9]){6}[ -]*|(?!([ -]*[0-9]){9}[ -]*$)[^]*`;
}

export const nationalId = defineTransform({
  name: 'national-id',
  summary: 'A national number of the same form; of nine digits: in the areas 000 and 666, which no US Social Security number has.',
  accepts: ['text'],
  params: {
    space: {
      schema: { enum: ['reserved', 'format'] },
      default: 'reserved',
      doc: '`reserved`: nine digits in areas never issued, 2·10^6 numbers; `format`: a bijection over all numbers of the pattern, which may be issued.',
    },
    area: { schema: { enum: ['both', '000', '666'] }, default: 'both', doc: 'The areas to use: each has 10^6 numbers.' },
  },
  scopes: ['value'],
  uniqueness: 'not-guaranteed',
  uniquenessWith: (params) => (params['space'] === 'format' ? 'preserved' : 'not-guaranteed'),
  reveals: ['equality', 'frequency', 'length', 'format'],
  space: (params) => (params['space'] === 'format' ? 0n : params['area'] === 'both' ? 2_000_000n : 1_000_000n),
  reversible: false,
  leavesReservedSpace: (params) => params['space'] === 'format',
  output: 'disjoint',
  pattern: (params) => {
    const areas = params['area'] === 'both' ? ['000', '666'] : [params['area'] as string];
    const reserved = areas.map((area) => `[ -]*${area.split('').join('[ -]*')}([ -]*\\d){6}[ -]*`);
    return ['.*[^\\d -].*', '[ -]*(\\d[ -]*){0,8}', '[ -]*(\\d[ -]*){10,}', ...reserved].join('|');
  },
  fixedPoints: () => ({ drawn: 3 }),
  // Other patterns have no space of their own: they may be originals, and no claim is made for them.
  produces: (value, params) => {
    if (params['space'] === 'format' || !isNineDigits(value, 0, value.length)) return true;
    const area = Buffer.from(value.filter((byte) => byte >= 0x30).subarray(0, 3)).toString();
    return (area === '000' || area === '666') && (params['area'] === 'both' || params['area'] === area);
  },
  laws: (params) => [
    sameKinds,
    ...(params['space'] === 'format'
      ? []
      : [{ law: 'form', form: toReservedForm(params['area'] as string), what: 'nine digits in an area that is never issued' } as const]),
  ],
  plain: false,
  prepare: ({ params, type, encryptBlocks }) => {
    const permutation = new CharacterPermutation(encryptBlocks);
    const both = params['area'] === 'both';
    const only = Number(params['area']);
    return (column, context, out) => {
      const nine = params['space'] === 'format' ? undefined : writeNineDigits(column, context, both ? -1 : only);
      if (nine) return nine;
      copyAll(column, out, type.base === 'bpchar');
      if (params['space'] === 'format') {
        permutation.permute(out.bytes, out.starts, out.ends, column.rows);
        return;
      }
      const draw = context.draw();
      let others: Int32Array | undefined;
      const { bytes, starts, ends } = out;
      for (let row = 0; row < column.rows; row++) {
        const start = starts[row] as number;
        const end = ends[row] as number;
        if (end < 0) continue;
        if (!isNineDigits(bytes, start, end)) {
          others ??= new Int32Array(column.rows).fill(-1);
          others[row] = end;
          continue;
        }
        const area = both ? 666 * toIndex(draw, row, 4, 2) : only;
        let rest = area * 1_000_000 + toIndex(draw, row, 0, 1_000_000);
        for (let i = end - 1; i >= start; i--) {
          if ((bytes[i] as number) < 0x30) continue;
          const next = (rest / 10) | 0;
          bytes[i] = 0x30 + rest - 10 * next;
          rest = next;
        }
      }
      if (others) drawCharacters(encryptBlocks, draw, bytes, starts, others, column.rows);
    };
  },
});
