// net.cidr_*: addresses are integers of 32 or 128 bits; an IPv4 address within IPv6 counts as IPv4, as in Go.
import { isIPv4, isIPv6 } from 'node:net';

import ipaddr from 'ipaddr.js';

import { PolicyFailure } from '../policy-failure.js';
import { Num, RegoObject, RegoSet, type Value } from '../value.js';
import type { Family } from './builtin.js';
import { isArray, itemsOf, textOf, unfit } from './operand.js';

interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

interface Network extends Address {
  readonly prefix: number;
}

const mapped = 0xffffn << 32n;
/** More addresses than any policy means. */
const maxAddresses = 1n << 20n;

function toValue(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { bits: 32, value: toValue(ipaddr.IPv4.parse(text).toByteArray()) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return { bits: 128, value: toValue(address.toByteArray()) };
}

/** ::ffff:a.b.c.d is a.b.c.d. */
function unmap(address: Address): Address {
  return address.bits === 128 && address.value >> 32n === 0xffffn ? { bits: 32, value: address.value & 0xffffffffn } : address;
}

function maskOf(bits: number, prefix: number): bigint {
  return ((1n << BigInt(prefix)) - 1n) << BigInt(bits - prefix);
}

function parseNetwork(text: string): Network | undefined {
  const [, host = '', length = ''] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseAddress(host);
  const prefix = Number(length);
  if (address === undefined || prefix > address.bits) return undefined;
  return { bits: address.bits, value: address.value & maskOf(address.bits, prefix), prefix };
}

function networkOf(value: Value | undefined): Network {
  return parseNetwork(textOf(value)) ?? unfit();
}

function covers(network: Network, address: Address): boolean {
  const [outer, inner] = [toPlainNetwork(network), unmap(address)];
  return outer.bits === inner.bits && (inner.value & maskOf(outer.bits, outer.prefix)) === outer.value;
}

/** A network of addresses of IPv4 within IPv6 is one of IPv4. */
function toPlainNetwork(network: Network): Network {
  const plain = unmap(network);
  return plain.bits === network.bits || network.prefix < 96 ? network : { ...plain, prefix: network.prefix - 96 };
}

function contains(network: Network, text: string): boolean {
  const address = parseAddress(text);
  if (address !== undefined) return covers(network, address);
  const [outer, inner] = [toPlainNetwork(network), toPlainNetwork(parseNetwork(text) ?? unfit())];
  return outer.bits === inner.bits && outer.prefix <= inner.prefix && (inner.value & maskOf(outer.bits, outer.prefix)) === outer.value;
}

function print({ bits, value }: Address): string {
  const bytes = Array.from({ length: bits / 8 }, (_, at) => Number((value >> BigInt(bits - 8 * (at + 1))) & 0xffn));
  return bits === 32 ? bytes.join('.') : new ipaddr.IPv6(bytes).toRFC5952String();
}

function expand(network: Network): RegoSet {
  const count = 1n << BigInt(network.bits - network.prefix);
  if (count > maxAddresses) throw new PolicyFailure('too-large');
  return new RegoSet(
    Array.from({ length: Number(count) }, (_, at) => print(unmap({ bits: network.bits, value: network.value + BigInt(at) }))),
  );
}

/** What is compared, and what it is called in the result: the text itself, or its place or key in a collection. */
function* candidates(given: Value): Generator<readonly [text: string, name: Value]> {
  if (typeof given === 'string') yield [given, given];
  else if (given instanceof RegoSet) for (const item of given.sorted()) yield [firstText(item), item];
  else if (given instanceof RegoObject) for (const [key, item] of given.sorted()) yield [firstText(item), key];
  else if (isArray(given)) for (const [at, item] of given.entries()) yield [firstText(item), new Num(at)];
}

function firstText(item: Value): string {
  return textOf(isArray(item) ? item[0] : item);
}

function matches([networks = null, others = null]: readonly Value[]): RegoSet {
  const found: Value[] = [];
  for (const [network, name] of candidates(networks)) {
    for (const [text, other] of candidates(others)) if (contains(networkOf(network), text)) found.push([name, other]);
  }
  return new RegoSet(found);
}

/** An address without a prefix has that of its class, as in Go; there are none in IPv6. */
function toMergeable(value: Value): Network {
  const text = textOf(value);
  const address = parseAddress(text);
  if (address === undefined) return toPlainNetwork(networkOf(text));
  const { bits, value: number } = unmap(address);
  if (bits !== 32) return unfit();
  const first = Number(number >> 24n);
  const prefix = first < 128 ? 8 : first < 192 ? 16 : first < 224 ? 24 : unfit();
  return { bits, value: number & maskOf(32, prefix), prefix };
}

/** The fewest networks that cover the same addresses. Those of IPv4 lie within ::/0, as in OPA. */
function merge(networks: readonly Network[]): string[] {
  const ranges = networks
    .map(({ bits, value, prefix }) => ({ first: bits === 32 ? value | mapped : value, size: (1n << BigInt(bits - prefix)) - 1n }))
    .map(({ first, size }) => ({ first, last: first | size }))
    .sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: { first: bigint; last: bigint }[] = [];
  for (const range of ranges) {
    const before = merged.at(-1);
    if (before !== undefined && range.first <= before.last + 1n) {
      if (range.last > before.last) before.last = range.last;
    } else merged.push({ ...range });
  }
  return merged.flatMap(({ first, last }) => toNetworks(first, last));
}

function toNetworks(first: bigint, last: bigint): string[] {
  const networks: string[] = [];
  for (let at = first; at <= last;) {
    let size = 0;
    while (size < 128 && at % (1n << BigInt(size + 1)) === 0n && at + (1n << BigInt(size + 1)) - 1n <= last) size++;
    const network = toPlainNetwork({ bits: 128, value: at, prefix: 128 - size });
    networks.push(`${print(network)}/${network.prefix}`);
    at += 1n << BigInt(size);
  }
  return networks;
}

export const cidrBuiltins: Family = {
  'net.cidr_contains_matches': matches,
  'net.cidr_expand': ([network]) => expand(networkOf(network)),
  'net.cidr_is_valid': ([text]) => typeof text === 'string' && parseNetwork(text) !== undefined,
  'net.cidr_merge': ([networks]) => new RegoSet(merge(itemsOf(networks).map(toMergeable))),
};
