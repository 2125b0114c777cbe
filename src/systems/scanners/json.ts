// JSON of any size, read piece by piece: only what is asked for becomes a value, and goes again.
import { setImmediate } from 'node:timers/promises';

import { JSONParser, TokenType } from '@streamparser/json';

import { BautaError, toError } from '../../kernel/errors.js';

/** Deeper than any report, and little memory. */
const DEEPEST = 200;
/** Bytes at a time: a large report keeps nobody else waiting. */
const PIECE = 8192;

/**
 * Calls `take` with each value at these paths (`$.a.*.b`), with the keys that lead to it, and `onName` with each name of the outermost object. Throws SCAN_MALFORMED with the byte at which the text
 * stops being JSON.
 */
export async function readJson(
  chunks: AsyncIterable<Uint8Array>,
  paths: readonly string[],
  take: (value: unknown, keys: readonly (string | number)[]) => void,
  onName: (name: string) => void = () => undefined,
): Promise<void> {
  const parser = new JSONParser({ paths: [...paths], keepStack: false });
  let failure: unknown;
  let start = 0;
  let length = 0;
  let depth = 0;
  parser.onError = (error) => {
    failure ??= error instanceof BautaError ? error : toMalformed(start + (toOffset(error.message) ?? length));
  };
  let last: { readonly token: TokenType; readonly value: unknown } | undefined;
  parser.onToken = ({ token, offset, value }) => {
    if (depth === 1 && token === TokenType.COLON) onName(String(last?.value));
    // The library lets a comma stand before the end.
    if (closes.has(token) && last?.token === TokenType.COMMA) throw toMalformed(offset);
    last = { token, value };
    depth += opens.has(token) ? 1 : closes.has(token) ? -1 : 0;
    if (depth > DEEPEST) throw toMalformed(offset);
  };
  parser.onValue = ({ value, key, stack }) => {
    const keys = [...stack.slice(1).map((one) => one.key), key];
    take(value, keys.filter((one): one is string | number => one !== undefined)); // prettier-ignore
  };
  for await (const chunk of chunks)
    for (let at = 0; at < chunk.length; at += PIECE) {
      const piece = chunk.subarray(at, at + PIECE);
      ({ length } = piece);
      parser.write(piece);
      if (failure !== undefined) throw failure as Error;
      start += length;
      await setImmediate();
    }
  length = 0;
  if (!parser.isEnded) throw toMalformed(start);
}

const opens: ReadonlySet<TokenType> = new Set([TokenType.LEFT_BRACE, TokenType.LEFT_BRACKET]);
const closes: ReadonlySet<TokenType> = new Set([TokenType.RIGHT_BRACE, TokenType.RIGHT_BRACKET]);

/** The library counts from the beginning of what it was given last. Of its text nothing else goes further: it quotes the character. */
function toOffset(message: string): number | undefined {
  const [, at] = /at position "(\d+)"/.exec(message) ?? [];
  return at === undefined ? undefined : Number(at);
}

function toMalformed(byte: number): BautaError {
  return toError('SCAN_MALFORMED', { stage: 'gate', amount: `byte ${byte}`, name: 'JSON' });
}
