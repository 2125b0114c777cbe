// What no form can say of keys: that joins neither chain nor turn in a circle, that two environments which share their pseudonyms share the version
// too, and that what is said of one environment's keys in several places is the same.
import { type Json, toCanonicalJson } from '../kernel/canonical-json.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import type { Definition, KeysDefinition, TokenDomainDefinition } from '../pipeline/definition.js';

interface Said {
  /** `Environment dev` or `Pipeline shop`. */
  readonly file: string;
  readonly environment: string;
  readonly keys: KeysDefinition;
  readonly tokens: Readonly<Record<string, TokenDomainDefinition>>;
}

/** Of all documents that hold at once; `file` of a finding is the document's kind and name. */
export function findKeyProblems(definitions: readonly Definition[]): readonly Finding[] {
  const said = definitions.flatMap(toSaid);
  return said.flatMap(({ file, environment, keys, tokens }) => {
    const { join, previous } = keys;
    const others = said.filter((one) => one.environment === environment && !isSame(one.keys, keys));
    const joined = join ? said.filter((one) => one.environment === join.environment) : [];
    const chained = join?.environment === environment || joined.some((one) => one.keys.join !== undefined);
    return [
      ...others.map((one) => toFinding('KEYS_CONTRADICTION', { file, name: environment, expected: one.file })),
      ...(join && chained ? [toFinding('KEYS_JOIN_CHAIN', { file, name: join.environment })] : []),
      ...(join && joined.some((one) => !isSame(one.keys.previous, previous))
        ? [toFinding('KEYS_JOIN_VERSION', { file, name: join.environment })]
        : []),
      ...(join?.tokens === true ? joined.flatMap((one) => findDiffering(tokens, one.tokens)) : []).map((domain) =>
        toFinding('KEYS_JOIN_TOKENS', { file, name: join?.environment, expected: domain }),
      ),
      ...(previous && !isDay(previous.until)
        ? [toFinding('DOCUMENT_VALUE_INVALID', { file, path: 'keys/previous/until', expected: 'a day of the calendar as YYYY-MM-DD' })]
        : []),
    ];
  });
}

function toSaid(definition: Definition): readonly Said[] {
  const file = `${definition.kind} ${definition.name}`;
  if (definition.kind === 'Environment')
    return [{ file, environment: definition.name, keys: definition.keys ?? {}, tokens: definition.tokens ?? {} }];
  if (definition.kind !== 'Pipeline' || typeof definition.target === 'string') return [];
  const { environment, keys = {}, tokens = {} } = definition.target;
  return [{ file, environment, keys, tokens }];
}

/** Domains that both name and that are of another form, or kept by one of them alone: their tokens would have nothing in common. */
function findDiffering(one: Said['tokens'], other: Said['tokens']): readonly string[] {
  return Object.keys(one).filter((domain) => {
    const [a, b] = [one[domain], other[domain]];
    return a !== undefined && b !== undefined && !isSame(toForm(a), toForm(b));
  });
}

const toForm = ({
  form,
  prefix = '',
  suffix = '',
  separators = ' -',
  testPrefix = '',
  vaulted = false,
}: TokenDomainDefinition): object => ({
  ...{ form, prefix, suffix, separators, testPrefix, vaulted },
});

const isSame = (a: object | undefined, b: object | undefined): boolean =>
  toCanonicalJson((a ?? null) as Json) === toCanonicalJson((b ?? null) as Json);

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}
