// Laws of texts: what became of each character, where an address leads, how a password is stored.

/** Whether each character is one that its original may become. */
export function isFormKept(become: readonly (readonly [from: string, to: string])[], original: string, output: string): boolean {
  const lines = become.map(([from, to]) => [new RegExp(`^${from}$`, 'u'), new RegExp(`^${to}$`, 'u')] as const);
  const [before, after] = [[...original], [...output]];
  if (before.length !== after.length) return false;
  return before.every((sign, i) => {
    const line = lines.find(([from]) => from.test(sign));
    return line ? line[1].test(after[i] as string) : sign === after[i];
  });
}

/** RFC 2606 and RFC 6761. */
const reserved = /(^|\.)(test|example|invalid|localhost|example\.(com|net|org))$/;

export function reachesNobody(text: string): boolean {
  const domain = /^[^@]+@([^@/]+)$|^https:\/\/([^/:@]+)(\/[^]*)?$/.exec(text.toLowerCase());
  return domain !== null && reserved.test(domain[1] ?? domain[2] ?? '');
}

/** Schemes of stored passwords; what the groups take, scheme and cost, stays. */
const schemes: readonly RegExp[] = [
  /^(\$2[abxy]?\$\d\d\$)[./A-Za-z0-9]{53}$/,
  /^(\$argon2(?:id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+)\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/,
  /^(\$[56]\$(?:rounds=\d+\$)?)[./A-Za-z0-9]{0,16}\$(?:[./A-Za-z0-9]{43}|[./A-Za-z0-9]{86})$/,
  /^(pbkdf2_sha(?:1|256|512)\$\d+\$)[^$]*\$[A-Za-z0-9+/]+=*$/,
  /^(\$pbkdf2(?:-sha256|-sha512)?\$\d+\$)[./A-Za-z0-9]*\$[./A-Za-z0-9]+$/,
  /^(\$scrypt\$ln=\d+,r=\d+,p=\d+\$)[A-Za-z0-9+/]*\$[A-Za-z0-9+/]+$/,
  /^(\{SSHA\})[A-Za-z0-9+/]+=*$/,
  /^(\{SHA\})[A-Za-z0-9+/]{27}=$/,
  /^()(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})$/i,
];

export function isSchemeKept(original: string, output: string): boolean {
  if (original === '' || /^[!*]/.test(original)) return output === original.slice(0, 1);
  const scheme = schemes.find((one) => one.test(original));
  if (!scheme) return false;
  const [before, after] = [scheme.exec(original), scheme.exec(output)];
  return after !== null && before?.[1] === after[1] && (before?.[1] !== '' || original.length === output.length);
}

interface Address {
  readonly bits: 32 | 128;
  readonly number: bigint;
  readonly mask: string | undefined;
}

/** An IPv4 or IPv6 address, with or without a mask; undefined: none. */
function toAddress(text: string): Address | undefined {
  const [, host = '', mask] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return { bits: 32, number: join(host.split('.').map(Number), 8n), mask };
  if (!host.includes(':')) return undefined;
  const [head = '', tail] = host.split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const all = tail === undefined ? left : [...left, ...Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right];
  return all.length === 8 && !all.some(Number.isNaN) ? { bits: 128, number: join(all, 16n), mask } : undefined;
}

function join(parts: readonly number[], width: bigint): bigint {
  return parts.reduce((sum, part) => (sum << width) | BigInt(part), 0n);
}

/** `isCut`: the address is cut to its mask, and only so much of the network can be seen. */
export function isOfNetwork(networks: readonly string[], original: string, output: string, isCut: boolean): boolean | undefined {
  const [before, after] = [toAddress(original), toAddress(output)];
  if (!before) return undefined;
  if (!after || before.bits !== after.bits || before.mask !== after.mask) return false;
  return networks.map(toAddress).some((network) => {
    if (network?.bits !== after.bits) return false;
    const seen = isCut && after.mask !== undefined ? Math.min(Number(network.mask), Number(after.mask)) : Number(network.mask);
    const rest = BigInt(after.bits - seen);
    return after.number >> rest === network.number >> rest;
  });
}
