// Members of a value that somebody else wrote: of the kind that is asked for, or nothing.
export type Members = Readonly<Record<string, unknown>>;

export function toMembers(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {};
}

export function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function toText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

export function toNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function toTexts(value: unknown): readonly string[] {
  return toList(value).filter((one): one is string => typeof one === 'string' && one !== '');
}

/** An instant as ISO 8601 in UTC. A text that is none says nothing. */
export function toInstant(value: unknown): string | null {
  const text = toText(value);
  const ms = text === null || !/^\d{4}-\d{2}-\d{2}[T ]/.test(text) ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
