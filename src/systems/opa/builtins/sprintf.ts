// sprintf as OPA prints, which is as Go's fmt prints what OPA gives it: integers as int64 or big.Int, numbers with a point or exponent as float64, and
// everything else as a text.
import { Num, RegoObject, RegoSet, type Value } from '../value.js';
import type { Family } from './builtin.js';
import { formatFloat } from './float-text.js';
import { arrayOf, isArray, textOf } from './operand.js';
import { quoteText } from './quote-text.js';

type Argument = bigint | number | string;

interface Directive {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

/** As OPA prints a term. */
export function printTerm(value: Value): string {
  if (typeof value === 'string') return quoteText(value);
  if (value instanceof Num) return value.literal;
  if (value instanceof RegoSet) return value.size === 0 ? 'set()' : `{${value.sorted().map(printTerm).join(', ')}}`;
  if (value instanceof RegoObject) {
    const members = value.sorted().map(([key, item]) => `${printTerm(key)}: ${printTerm(item)}`);
    return `{${members.join(', ')}}`;
  }
  return isArray(value) ? `[${value.map(printTerm).join(', ')}]` : `${value}`;
}

function toArgument(value: Value): Argument {
  if (typeof value === 'string') return value;
  if (!(value instanceof Num)) return printTerm(value);
  if (/^-?\d+$/.test(value.literal)) return BigInt(value.literal);
  const float = Number(value.literal);
  return Number.isFinite(float) ? float : value.literal;
}

const minInt64 = -(2n ** 63n);
const isBig = (value: bigint): boolean => value < minInt64 || value >= -minInt64;

function typeOf(argument: Argument): string {
  if (typeof argument === 'string') return 'string';
  if (typeof argument === 'number') return 'float64';
  return isBig(argument) ? '*big.Int' : 'int64';
}

const bad = (verb: string, argument: Argument): string => {
  const shown = typeof argument === 'bigint' && isBig(argument) ? `big.Int=${argument}` : `${typeOf(argument)}=${plain(argument)}`;
  return `%!${verb}(${shown})`;
};

function plain(argument: Argument): string {
  return typeof argument === 'number' ? formatFloat(argument, 'g', undefined, '') : `${argument}`;
}

function pad(text: string, { flags, width }: Directive, zeros: boolean): string {
  const missing = (width ?? 0) - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!zeros || !flags.includes('0')) return ' '.repeat(missing) + text;
  const [, sign = '', rest = ''] = /^([+\- ]?)(.*)$/s.exec(text) ?? [];
  return sign + '0'.repeat(missing) + rest;
}

function printText(text: string, verb: string, directive: Directive): string | undefined {
  const { precision, flags } = directive;
  const cut = precision === undefined ? text : [...text].slice(0, precision).join('');
  switch (verb) {
    case 's':
      return pad(cut, directive, true);
    case 'v':
      return pad(flags.includes('#') ? quoteText(cut) : cut, directive, true);
    case 'q':
      return pad(flags.includes('#') && !cut.includes('`') ? `\`${cut}\`` : quoteText(cut), directive, true);
    case 'x':
    case 'X': {
      const hex = Buffer.from(text).subarray(0, precision).toString('hex');
      const spaced = flags.includes(' ') ? hex.replace(/(..)(?=.)/g, '$1 ') : hex;
      return pad(verb === 'x' ? spaced : spaced.toUpperCase(), directive, true);
    }
    default:
      return undefined;
  }
}

const bases: Readonly<Record<string, readonly [number, string]>> = {
  d: [10, ''],
  v: [10, ''],
  b: [2, '0b'],
  o: [8, '0'],
  O: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
};

function printInteger(value: bigint, verb: string, directive: Directive): string | undefined {
  const { flags, precision } = directive;
  if (verb === 's' && isBig(value)) return pad(value.toString(), directive, true);
  if (verb === 'c' || verb === 'q' || verb === 'U') return isBig(value) ? undefined : printPoint(value, verb, directive);
  const [radix, prefix] = bases[verb] ?? [0, ''];
  if (radix === 0) return undefined;
  let digits = (value < 0n ? -value : value).toString(radix).padStart(precision ?? 1, '0');
  if (verb === 'X') digits = digits.toUpperCase();
  const sign = value < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const marked = verb === 'O' || flags.includes('#') ? prefix : '';
  return pad(sign + marked + digits, directive, precision === undefined);
}

function printPoint(value: bigint, verb: string, directive: Directive): string {
  const known = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
  const char = String.fromCodePoint(known ? Number(value) : 0xfffd);
  if (verb === 'c') return pad(char, directive, true);
  if (verb === 'q') return pad(`'${char}'`, directive, true);
  return pad(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, directive, true);
}

function printFloat(value: number, verb: string, directive: Directive): string | undefined {
  const kind = verb === 'v' ? 'g' : verb === 'F' ? 'f' : verb;
  if (!/^[eEfgG]$/.test(kind)) return undefined;
  const text = formatFloat(value, kind, directive.precision ?? (/[eEf]/.test(kind) ? 6 : undefined), directive.flags);
  return pad(text, directive, true);
}

function print(argument: Argument, verb: string, directive: Directive): string {
  if (verb === 'T') return pad(typeOf(argument), directive, true);
  const printed =
    typeof argument === 'string'
      ? printText(argument, verb, directive)
      : typeof argument === 'number'
        ? printFloat(argument, verb, directive)
        : printInteger(argument, verb, directive);
  return printed ?? bad(verb, argument);
}

/** One text after the other; the arguments are taken in order, or by `[n]`. */
class Printer {
  readonly #arguments: readonly Argument[];
  #next = 0;
  #reordered = false;

  constructor(given: readonly Argument[]) {
    this.#arguments = given;
  }

  print(format: string): string {
    const pattern = /%([-+# 0]*)((?:\[\d+\])?\*|\d+)?(?:\.((?:\[\d+\])?\*|\d*))?(\[\d+\])?(.?)/gsu;
    const out = format.replace(pattern, (_, flags: string, width?: string, precision?: string, index?: string, verb?: string) =>
      this.#directive(flags, width, precision, index, verb ?? ''),
    );
    const rest = this.#arguments.slice(this.#next);
    if (this.#reordered || rest.length === 0) return out;
    return `${out}%!(EXTRA ${rest.map((argument) => `${typeOf(argument)}=${plain(argument)}`).join(', ')})`;
  }

  #directive(flags: string, width: string | undefined, precision: string | undefined, index: string | undefined, verb: string): string {
    let given = flags;
    let wide = this.#measure(width);
    if (wide !== undefined && wide < 0) [given, wide] = [`${flags}-`, -wide];
    const exact = precision === '' ? 0 : this.#measure(precision);
    if (index !== undefined) this.#jump(index);
    if (verb === '') return '%!(NOVERB)';
    if (verb === '%') return '%';
    const argument = this.#arguments[this.#next];
    if (argument === undefined) return index === undefined ? `%!${verb}(MISSING)` : `%!${verb}(BADINDEX)`;
    this.#next++;
    return print(argument, verb, { flags: given, width: wide, precision: exact === undefined || exact < 0 ? undefined : exact });
  }

  #measure(text: string | undefined): number | undefined {
    if (text === undefined) return undefined;
    if (!text.endsWith('*')) return Math.min(Number(text), 1_000_000);
    if (text.startsWith('[')) this.#jump(text.slice(0, -1));
    const argument = this.#arguments[this.#next++];
    return typeof argument === 'bigint' && argument >= -1_000_000n && argument <= 1_000_000n ? Number(argument) : undefined;
  }

  #jump(index: string): void {
    this.#reordered = true;
    this.#next = Number(index.slice(1, -1)) - 1;
  }
}

export const sprintfBuiltins: Family = {
  sprintf: ([format, given]) => new Printer(arrayOf(given).map(toArgument)).print(textOf(format)),
};
