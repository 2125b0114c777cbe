// Values of a token domain to tokens and back, outside of a run: for who may ask. Batches of texts, one call of the cipher per round.
import type { Json } from '../../kernel/canonical-json.js';
import type { DataType } from '../catalogue.js';
import type { TokenDomainDefinition } from '../definition.js';
import { leafType, withDefaults } from './column-runner.js';
import { ColumnWriter } from './column-writer.js';
import { BlockCipher } from './prf.js';
import type { Params } from './transform.js';
import { token } from './transforms/token.js';

/** Which of the texts is not of the form. */
export class NotOfForm extends Error {
  constructor(readonly index: number) {
    super(`text ${index} is not of the form`);
  }
}

export interface Exchange {
  /** Throws NotOfForm. */
  toTokens(values: readonly string[]): readonly string[];
  /** Throws NotOfForm where a text cannot be a token. Under another key it gives other values, and nobody can tell. */
  toValues(tokens: readonly string[]): readonly string[];
}

/** Parameters of `token` for a domain as documents name it, the defaults written out. */
export function toTokenParams(domain: TokenDomainDefinition): Readonly<Record<string, Json>> {
  const given = Object.entries(domain).filter(([name]) => Object.hasOwn(token.params, name));
  return withDefaults(token, Object.fromEntries(given));
}

/** `key`: 32 bytes of the hierarchy `token`, by the label of the domain (`toKeyLabel`). */
export function toExchange(key: Uint8Array, domain: string, params: Params, type: DataType = leafType): Exchange {
  const cipher = new BlockCipher(key);
  const spec = {
    ...{ params, domain, type },
    encryptBlocks: (blocks: Uint8Array) => cipher.encrypt(blocks),
    words: (): never => {
      throw new TypeError('tokens are made of no words');
    },
  };
  const run = (apply: ReturnType<typeof token.prepare>, texts: readonly string[]): readonly string[] => {
    const out = new ColumnWriter();
    out.reset(texts.length);
    const refuse = (row: number): never => {
      throw new NotOfForm(row);
    };
    const draw = (): never => {
      throw new TypeError('tokens are not drawn');
    };
    apply(toColumn(texts), { draw, refuse, companions: [] }, out);
    return Array.from(texts, (_, row) => Buffer.from(out.bytes.subarray(out.starts[row], out.ends[row])).toString('utf8'));
  };
  const { prepare, reverse } = token;
  if (!reverse) throw new TypeError('token has no way back');
  return { toTokens: (values) => run(prepare(spec), values), toValues: (tokens) => run(reverse(spec), tokens) };
}

function toColumn(texts: readonly string[]): { rows: number; bytes: Uint8Array; starts: Int32Array; ends: Int32Array } {
  const bytes = Buffer.from(texts.join(''), 'utf8');
  const [starts, ends] = [new Int32Array(texts.length), new Int32Array(texts.length)];
  let at = 0;
  texts.forEach((text, row) => {
    starts[row] = at;
    ends[row] = at += Buffer.byteLength(text);
  });
  return { rows: texts.length, bytes, starts, ends };
}
