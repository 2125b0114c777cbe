import { createRequire } from 'node:module';
import { type AddressInfo, type Server, createServer } from 'node:net';

import { afterEach, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';

import { createClient, openSocket, toMessages } from './client.js';

interface Connection {
  connect(): Promise<boolean>;
  disconnect(): Promise<boolean>;
  send(asked: object): Promise<string>;
}

const ConnectionClass = createRequire(import.meta.url)('kafkajs/src/network/connection.js') as new (options: object) => Connection;
const Encoder = createRequire(import.meta.url)('kafkajs/src/protocol/encoder.js') as new () => object;

/** A request without a body; its answer is text. */
const ask = {
  request: { apiKey: 18, apiName: 'ApiVersions', apiVersion: 0, encode: () => Promise.resolve(new Encoder()) },
  response: { decode: (rest: Buffer) => Promise.resolve(rest.toString()), parse: (text: string) => Promise.resolve(text) },
};

function toAnswer(request: Buffer, text: string): Buffer {
  const answer = Buffer.alloc(8 + text.length, text);
  answer.writeInt32BE(4 + text.length);
  // The number of the request: behind its size, key and version.
  answer.writeInt32BE(request.readInt32BE(8), 4);
  answer.write(text, 8);
  return answer;
}

describe('A connection to a broker', () => {
  let server: Server | undefined;
  afterEach(async () => {
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  });

  it('goes to an address of IPv6, which kafkajs would cut at its first colon', async () => {
    let wasReached = false;
    server = createServer((socket) => {
      wasReached = true;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const client = createClient({ name: 'env:BROKER', hosts: [{ host: '::ffff:127.0.0.1', port }] }, { clientId: 'test', patienceMs: 0 });
    await expect(client.admin().connect()).rejects.toThrow();
    expect(wasReached).toBe(true);
  });

  it('that ended in the middle of an answer is made again, and the next answer is heard', async () => {
    let count = 0;
    server = createServer((socket) => {
      const isFirst = count++ === 0;
      socket.once('data', (request) => {
        const answer = toAnswer(request, 'all of it');
        if (isFirst) socket.end(answer.subarray(0, 11));
        else socket.write(answer);
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const target = { name: 'env:BROKER', hosts: [{ host: '127.0.0.1', port }], plaintextAllowed: true };
    const connection = new ConnectionClass({
      ...{ host: '127.0.0.1', port, clientId: 'test', connectionTimeout: 5000, requestTimeout: 5000, maxInFlightRequests: null },
      logger: new kafkajs.Kafka({ brokers: ['127.0.0.1:1'], logLevel: kafkajs.logLevel.NOTHING }).logger(),
      socketFactory: ({ onConnect }: { readonly onConnect: () => void }) => openSocket(target, { host: '127.0.0.1', port }, onConnect),
    });
    await connection.connect();
    await expect(connection.send(ask)).rejects.toThrow('Closed connection');
    await connection.disconnect();
    await connection.connect();
    expect(await connection.send(ask)).toBe('all of it');
    await connection.disconnect();
  });
});

describe('Records of a request', () => {
  it('come into the partitions that were chosen for them, in their order', () => {
    // As kafkajs does it.
    const put = (before: Record<string, number[]>, value: number): Record<string, number[]> =>
      Object.assign(before, { [value % 3]: [...(before[value % 3] ?? []), value] });
    const values = Array.from({ length: 20 }, (_, at) => at);
    expect(toMessages(values).reduce(put, {})).toEqual([...values].reduce(put, {}));
  });
});
