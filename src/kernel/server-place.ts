// Where a server is, as one text: what a secret is granted for.

/** As a grant has it: the name of a host has one spelling. */
export function toPlace(host: string, port: number, database?: string): string {
  const plain = host.toLowerCase();
  return `${plain.includes(':') ? `[${plain}]` : plain}:${port}${database === undefined ? '' : `/${database}`}`;
}
