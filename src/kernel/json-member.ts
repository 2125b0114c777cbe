// Members of what somebody else sent as JSON: asked for one by one, and nothing else of it is believed.

/** Undefined: it is none. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}

export function memberAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return at;
}

/** The member at `a.b.c`, or undefined where it is no text, or one beyond the pattern. */
export function textAt(value: unknown, path: string, pattern: RegExp): string | undefined {
  const found = memberAt(value, path.split('.'));
  return typeof found === 'string' && pattern.test(found) ? found : undefined;
}

/** A number as systems give them to their things: whole, above zero, and exact. */
export function idAt(value: unknown, path: string): number | undefined {
  const found = memberAt(value, path.split('.'));
  return typeof found === 'number' && Number.isSafeInteger(found) && found > 0 ? found : undefined;
}
