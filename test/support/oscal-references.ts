// What the published schemas of OSCAL do not look at: where ids lead.
type Node = { readonly [name: string]: unknown };
const all = (value: unknown): readonly Node[] => (Array.isArray(value) ? value.flatMap(all) : value !== null && typeof value === 'object' ? [value as Node, ...Object.values(value).flatMap(all)] : []); // prettier-ignore

/** uuids that are named and are not there, uuids that are there twice: what the published schemas do not look at. */
export function findBadReferences(text: string): string[] {
  const nodes = all(JSON.parse(text));
  const there = nodes.flatMap(({ uuid }) => (typeof uuid === 'string' ? [uuid] : []));
  const named = nodes.flatMap((node) => Object.entries(node).flatMap(([name, value]) => (typeof value !== 'string' ? [] : name.endsWith('-uuid') ? [value] : ['href', 'source'].includes(name) && value.startsWith('#') ? [value.slice(1)] : []))); // prettier-ignore
  if (named.length === 0) throw new Error('the document names no uuid');
  return [...named.filter((uuid) => !there.includes(uuid)), ...there.filter((uuid, i) => there.indexOf(uuid) !== i)];
}
