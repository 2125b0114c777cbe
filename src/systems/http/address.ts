// Which addresses may be connected to: public ones, and networks that the operator listed for a host. What is not known to be public is not.
import ipaddr from 'ipaddr.js';

export type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** `10.0.0.0/8`, `fd00::/8`, or one address. */
export function parseNetwork(text: string): Network | undefined {
  const plain = text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`;
  return ipaddr.isValidCIDR(plain) ? ipaddr.parseCIDR(plain) : undefined;
}

/** Public by its bits, but Azure's machines reach their host's metadata there. */
const metadataHosts = new Set(['168.63.129.16']);

/** Addresses that are given out are the only ones of IPv6 that anybody public can have (IANA: 2000::/3). */
const globalUnicast = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number];

/** An IPv4 address inside an IPv6 one is looked at as what it is. */
export function isPermitted(text: string, networks: readonly Network[]): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  if (networks.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits))) return true;
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv6 ? address.match(globalUnicast) : !metadataHosts.has(address.toString());
}
