// Names that RFC 2606 and RFC 6761 keep for ever: no mail and no request to them can reach anybody.

const reserved = ['example', 'test', 'invalid', 'localhost', 'example.com', 'example.net', 'example.org'];

export function isReservedDomain(domain: string): boolean {
  const name = domain.toLowerCase();
  return reserved.some((each) => name === each || name.endsWith(`.${each}`));
}

/** JSON Schema of a domain name in lower case: labels of letters, digits and inner hyphens. */
export const domainSchema = {
  type: 'string',
  maxLength: 100,
  pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$',
} as const;
