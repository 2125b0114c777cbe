// What a database holds beside rows, as digests by kind and name: code, views, rights and whatever else says what may be done with the rows.
import { digestJson } from '../kernel/digest.js';

export const definedKinds = [
  'function', 'view', 'trigger', 'event trigger', 'policy', 'rule', 'sequence', 'table', 'constraint', 'index', 'type', 'extension',
  'publication', 'foreign server', 'rights',
] as const; // prettier-ignore
export type DefinedKind = (typeof definedKinds)[number];

/** Of kind `rights`: who may do what with the database itself, and what is set for it. Versions of before these were looked at have neither. */
export const databaseRights = ['database', 'settings of the database'] as const;

export interface DefinitionDigest {
  readonly kind: DefinedKind;
  /** As the server writes it; of rights: what they are on. */
  readonly name: string;
  /** 32 hex digits. */
  readonly digest: string;
}

export interface Definition {
  readonly kind: DefinedKind;
  readonly name: string;
  readonly text: string;
}

/** Something that is not as it was published. */
export interface ChangedDefinition {
  readonly kind: DefinedKind;
  readonly name: string;
  readonly state: 'changed' | 'missing' | 'added';
}

const toKey = ({ kind, name }: Pick<DefinitionDigest, 'kind' | 'name'>): string => `${kind}\u0000${name}`;

/** Sorted. Two of one name count as one thing. */
export function toDefinitionDigests(definitions: readonly Definition[]): readonly DefinitionDigest[] {
  const texts = new Map<string, Definition & { readonly texts: string[] }>();
  for (const one of definitions) {
    const known = texts.get(toKey(one));
    if (known) known.texts.push(one.text);
    else texts.set(toKey(one), { ...one, texts: [one.text] });
  }
  return [...texts.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { kind, name, texts: all }]) => ({
      kind,
      name,
      digest: digestJson(all.sort()).slice('sha256:'.length, 'sha256:'.length + 32),
    }));
}

export function findChanged(published: readonly DefinitionDigest[], seen: readonly DefinitionDigest[]): readonly ChangedDefinition[] {
  const isOfDatabase = ({ kind, name }: DefinitionDigest): boolean => kind === 'rights' && databaseRights.some((one) => one === name);
  const compared = published.some(isOfDatabase) ? seen : seen.filter((one) => !isOfDatabase(one));
  const [was, is] = [published, compared].map((list) => new Map(list.map((one) => [toKey(one), one])));
  const gone = [...was!]
    .filter(([key]) => !is!.has(key))
    .map(([, { kind, name }]): ChangedDefinition => ({ kind, name, state: 'missing' }));
  const here = [...is!].flatMap(([key, { kind, name, digest }]): ChangedDefinition[] => {
    const before = was!.get(key);
    if (before?.digest === digest) return [];
    return [{ kind, name, state: before ? 'changed' : 'added' }];
  });
  return [...gone, ...here].sort((a, b) => (toKey(a) < toKey(b) ? -1 : 1));
}

/** `function shop.total(integer): changed`. */
export function toChangedText({ kind, name, state }: ChangedDefinition): string {
  return `${kind}${kind === 'rights' ? ' on' : ''} ${name}: ${state}`;
}

export function isDefinitionDigest(value: unknown): value is DefinitionDigest {
  const { kind, name, digest } = (value ?? {}) as Partial<Record<keyof DefinitionDigest, unknown>>;
  return (
    definedKinds.some((one) => one === kind) && typeof name === 'string' && typeof digest === 'string' && /^[0-9a-f]{32}$/.test(digest)
  );
}
