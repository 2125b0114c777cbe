// hot path: a token between two constant texts, one per row: the shape of e-mail addresses, user names and URLs that reach nobody.
import type { DataType } from '../catalogue.js';
import { kernel } from './kernel/kernel.js';
import { isToken, toTokenSpace, tokenLength } from './token.js';
import type { Params, Transform, TransformSpec } from './transform.js';

export interface Dress {
  readonly before: string;
  readonly after: string;
}

/** Characters that a column of this type has room for; `name` holds 63 bytes, and names in Japanese take three a letter but are short. */
export function toRoom(type: DataType): number {
  return type.base === 'name' ? 31 : (type.length ?? Infinity);
}

type Part = Required<Pick<Transform, 'space' | 'produces' | 'misfit' | 'prepare'>>;

/** What depends on the shape alone. A narrow column gets a shorter token, and `space` says so. */
export function dressedToken(noun: string, toDress: (params: Params) => Dress): Part {
  const toLength = (type: DataType, params: Params): number => {
    const { before, after } = toDress(params);
    return Math.min(tokenLength, toRoom(type) - before.length - after.length);
  };
  return {
    space: (params, type) => toTokenSpace(toLength(type, params)),
    misfit: (type, params) => (toLength(type, params) < 1 ? `${noun} does not fit ${type.display}` : undefined),
    produces: (value, params) => {
      const before = Buffer.from(toDress(params).before);
      const after = Buffer.from(toDress(params).after);
      const end = value.length - after.length;
      if (end <= before.length || before.compare(value, 0, before.length) !== 0 || after.compare(value, end) !== 0) return false;
      return isToken(value.subarray(before.length, end));
    },
    prepare: ({ params, type }: TransformSpec) => {
      const count = toLength(type, params);
      const before = Buffer.from(toDress(params).before);
      const after = Buffer.from(toDress(params).after);
      return (column, context) => {
        const memory = kernel();
        const { rows, endsAt } = memory.toMemory(column);
        const draws = memory.addressOf(context.draw());
        const dress = [memory.put(before), before.length, memory.put(after), after.length];
        return memory.write(rows, (...to) => memory.calls.writeTokens(endsAt, rows, draws, count, ...dress, ...to), context.refuse);
      };
    },
  };
}
