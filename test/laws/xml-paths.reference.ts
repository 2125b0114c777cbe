// The slow twin of the XML walker: elements as objects.

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (string | Element)[];
}

type Masking = (text: string) => string;

/** Undefined where the element itself is left out. */
export function maskXml(element: Element, paths: readonly string[], rest: 'drop' | 'keep', mask: Masking, above = ''): Element | undefined {
  const here = above === '' ? element.name : `${above}.${element.name}`;
  if (!paths.some((path) => path === here || path.startsWith(`${here}.`))) return rest === 'keep' ? element : undefined;
  const decide = (path: string, text: string): string | undefined =>
    paths.includes(path) ? mask(text) : rest === 'keep' ? text : undefined;
  const attributes = Object.entries(element.attributes).flatMap(([name, value]) => {
    const kept = decide(`${here}.@${name}`, value);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  const children = element.children.flatMap((child) => {
    const kept = typeof child === 'string' ? decide(here, child) : maskXml(child, paths, rest, mask, here);
    return kept === undefined ? [] : [kept];
  });
  return { name: element.name, attributes: Object.fromEntries(attributes), children };
}

/** Everything escaped that may be, so that a masked value is written as an unmasked one. */
export function formatXml({ name, attributes, children }: Element): string {
  const escape = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&apos;');
  const escapeValue = (text: string): string => escape(text).replaceAll('\n', '&#10;');
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeValue(value)}"`);
  return `<${name}${written.join('')}>${children.map((child) => (typeof child === 'string' ? escape(child) : formatXml(child))).join('')}</${name}>`;
}
