// Free text with what is found in it replaced, and the rest kept: best effort, see redaction/find-personal.ts. Works on strings, not bytes: what it looks for
// needs characters. The row's own e-mail, phone and names become what their columns become; an address or number that only the text holds becomes a
// pseudonym of the same form, made from the found text under this rule's key, so that one address is one pseudonym in all texts of the domain.
import { ColumnWriter } from '../column-writer.js';
import { absorb, startChains } from '../permutation/block-chain.js';
import { findPersonal, isToldAlone, type Known, toPlainDigits } from '../redaction/find-personal.js';
import { type Apply, type ApplyContext, defineTransform, type TransformSpec } from '../transform.js';
import { email } from './email.js';
import { iban } from './iban.js';
import { pan } from './pan.js';

export const redact = defineTransform({
  name: 'redact',
  summary: 'E-mail addresses, phone, card and account numbers and the names of the row replaced in free text; best effort, all else stays.',
  accepts: ['text'],
  params: {},
  scopes: ['value'],
  uniqueness: 'not-guaranteed',
  reveals: ['equality', 'frequency', 'order', 'length', 'prefix', 'band', 'format', 'value'],
  space: () => 0n,
  reversible: false,
  output: 'kept',
  misfit: (type) =>
    type.length === undefined ? undefined : `a pseudonym may be longer than what it replaces; ${type.display} may be too short`,
  laws: () => [],
  plain: false,
  prepare: (spec) => {
    const replace = toReplacer(spec);
    return (column, context, out) => {
      for (let row = 0; row < column.rows; row++) {
        const start = column.starts[row] as number;
        const end = column.ends[row] as number;
        if (end < 0) {
          out.null(row);
          continue;
        }
        const text = Buffer.from(column.bytes.subarray(start, end)).toString();
        const found = findPersonal(text, toKnown(context, row));
        if (found.length === 0) {
          out.copy(row, column.bytes, start, end);
          continue;
        }
        let kept = 0;
        let result = '';
        for (const one of found) {
          result += text.slice(kept, one.start) + (one.replacement ?? replace(one.kind, text.slice(one.start, one.end)));
          kept = one.end;
        }
        const bytes = Buffer.from(result + text.slice(kept));
        out.copy(row, bytes, 0, bytes.length);
      }
    };
  },
});

/** The row's other tagged columns, whole, and names also word by word. */
function toKnown(context: ApplyContext, row: number): Known[] {
  const known: Known[] = [];
  for (const { tag, original, masked } of context.companions) {
    if ((original.ends[row] as number) < 0 || (masked.ends[row] as number) < 0) continue;
    const [was, is] = [original, masked].map((column) => Buffer.from(column.bytes.subarray(column.starts[row], column.ends[row])).toString().trim()); // prettier-ignore
    if (!was || is === undefined || [...was].length < 2) continue;
    known.push({ original: was, masked: is });
    const words = /name/.test(tag) ? was.split(/\s+/) : [];
    const others = is.split(/\s+/);
    if (words.length > 1) words.forEach((word, i) => isToldAlone(word) && known.push({ original: word, masked: others[i] ?? is }));
  }
  return known;
}

function toReplacer(spec: TransformSpec): (kind: string, text: string) => string {
  const type = { ...spec.type, base: 'text' };
  const applies: Readonly<Record<string, Apply>> = {
    email: email.prepare({ ...spec, type, params: { domain: 'example.com' } }),
    iban: iban.prepare({ ...spec, type, params: { space: 'reserved' } }),
    pan: pan.prepare({ ...spec, type, params: { space: 'reserved' } }),
  };
  const out = new ColumnWriter();
  return (kind, text) => {
    const plain =
      kind === 'email'
        ? text.toLowerCase()
        : toPlainDigits(text)
            .replace(/[^A-Za-z0-9]/g, '')
            .toUpperCase();
    const draw = toDraw(spec, Buffer.from(plain));
    const apply = applies[kind];
    // Numbers of fiction (555-01xx): a phone number here has no column whose form it could take.
    if (!apply) return `+1 202-555-01${String((draw[0] as number) % 100).padStart(2, '0')}`;
    const bytes = Buffer.from(kind === 'pan' ? toPlainDigits(text).replace(/[^0-9 -]/g, '') : text);
    out.reset(1);
    const masked = apply(
      { rows: 1, bytes, starts: Int32Array.of(0), ends: Int32Array.of(bytes.length) },
      { draw: () => draw, refuse: toNever, companions: [] },
      out,
    );
    const { bytes: from, starts, ends } = masked ?? out;
    return Buffer.from(from.subarray(starts[0], ends[0])).toString();
  };
}

function toDraw({ encryptBlocks }: TransformSpec, text: Uint8Array): Uint8Array {
  const [starts, ends] = [Int32Array.of(0), Int32Array.of(text.length)];
  const draw = startChains(encryptBlocks, 2, starts, ends, 1);
  absorb(encryptBlocks, draw, text, starts, ends, 1);
  return draw;
}

function toNever(): never {
  throw new RangeError('what was found by its form was refused by it');
}
