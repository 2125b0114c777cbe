// The slow twin of prf.ts: AES-256-CMAC of one message, from NIST SP 800-38B §6.2 by way of CBC, in hexadecimal.
import { createCipheriv } from 'node:crypto';

export function toReferenceCmac(key: Uint8Array, message: Uint8Array): string {
  const double = (block: bigint): bigint => ((block << 1n) & ((1n << 128n) - 1n)) ^ (block >> 127n ? 0x87n : 0n);
  const subkey = double(BigInt(`0x${encrypt(key, Buffer.alloc(16)).toString('hex')}`));
  const complete = message.length > 0 && message.length % 16 === 0;
  const padded = complete ? Buffer.from(message) : Buffer.concat([message, Buffer.of(0x80), Buffer.alloc(15 - (message.length % 16))]);
  const last = BigInt(`0x${padded.subarray(-16).toString('hex')}`) ^ (complete ? subkey : double(subkey));
  padded.set(Buffer.from(last.toString(16).padStart(32, '0'), 'hex'), padded.length - 16);
  return encrypt(key, padded).subarray(-16).toString('hex');
}

function encrypt(key: Uint8Array, blocks: Uint8Array): Buffer {
  return createCipheriv('aes-256-cbc', key, Buffer.alloc(16)).update(blocks);
}
