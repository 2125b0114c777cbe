// What of a form would break a reader that was written for the form before it: everything that may be written by the new one has to be readable by the
// old one. Members that are new are no break, since readers pass over them.
type Schema = Readonly<Record<string, unknown>>;

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : value === undefined ? [] : [value]);

/** Where, and what; none: every reader of the old one reads the new one. */
export function findBreaks(before: unknown, after: unknown, at = ''): readonly string[] {
  if (!isSchema(before)) return [];
  if (!isSchema(after)) return [`${at}: is gone`];
  const breaks: string[] = [];
  const tell = (what: string): void => void breaks.push(`${at || '/'}: ${what}`);
  const widened = (keyword: string): boolean =>
    before[keyword] !== undefined &&
    (after[keyword] === undefined || asList(after[keyword]).some((one) => !asList(before[keyword]).includes(one)));
  for (const keyword of ['type', 'enum', 'const', 'format', 'pattern']) if (widened(keyword)) tell(`${keyword} was widened`);
  for (const keyword of ['minimum', 'minLength'])
    if (typeof before[keyword] === 'number' && !(Number(after[keyword]) >= before[keyword])) tell(`${keyword} was lowered`);
  for (const name of asList(before['required']))
    if (!asList(after['required']).includes(name)) tell(`${String(name)} is not required any more`);
  if (before['additionalProperties'] === false && after['additionalProperties'] !== false) tell('it was closed');
  for (const [name, member] of Object.entries((before['properties'] ?? {}) as Schema))
    breaks.push(...findBreaks(member, ((after['properties'] ?? {}) as Schema)[name], `${at}/${name}`));
  if (before['items'] !== undefined) breaks.push(...findBreaks(before['items'], after['items'], `${at}/items`));
  // Each way to write it that there is now MUST be one that there was.
  for (const keyword of ['anyOf', 'oneOf']) {
    const ways = asList(before[keyword]);
    if (ways.length === 0) continue;
    const now = asList(after[keyword]);
    if (now.length === 0) tell(`${keyword} is gone`);
    if (now.some((way) => ways.every((one) => findBreaks(one, way).length > 0))) tell(`${keyword} has a way that it had not`);
  }
  breaks.push(...findBreaksByType(asList(before['allOf']), asList(after['allOf']), at));
  return breaks;
}

/** `if` of one type of event, `then` its data. */
function findBreaksByType(before: readonly unknown[], after: readonly unknown[], at: string): readonly string[] {
  return before.flatMap((one) => {
    const { if: condition, then } = one as { readonly if?: unknown; readonly then?: unknown };
    const same = after.find((other) => JSON.stringify((other as Schema)['if']) === JSON.stringify(condition)) as Schema | undefined;
    const name = JSON.stringify(condition ?? one).replace(/^.*"const":"([^"]+)".*$/, '$1');
    return same ? findBreaks(then, same['then'], `${at}/${name}`) : [`${at}/${name}: is gone`];
  });
}
