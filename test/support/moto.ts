// AWS as moto plays it, on this machine, and a door before it that counts what is asked and can answer in its place. MUST be stopped in afterAll.
// Where moto is not AWS: it enforces no IAM, computes with keys that are disabled or wait for their deletion, keeps the aliases of keys that are gone,
// and knows at once everywhere what was made.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface TestAws {
  /** Of the door. */
  readonly url: string;
  /** Of moto itself, for who prepares and looks. */
  readonly behind: string;
  /** What was asked, as `TrentService.GenerateMac`, since it was emptied. */
  readonly asked: string[];
  /** Instead of moto, where it gives something. */
  intercept: ((target: string) => Answer | undefined) | undefined;
  /** Nothing is there any more. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** For clients of this process and of children that get it; moto takes anything. */
export const awsCredentials = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'aws-secret-canary-6f1d' };

export async function startMoto(program: string): Promise<TestAws> {
  const child = spawn(program, ['-H', '127.0.0.1', '-p', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const behind = await new Promise<string>((resolve, reject) => {
    let words = '';
    const hear = (chunk: Buffer): void => {
      words += chunk.toString();
      const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(words) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject).once('exit', () => reject(new Error('moto ended')));
  });
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const target = String(request.headers['x-amz-target']);
    asked.push(target);
    const instead = aws.intercept?.(target);
    if (instead) return void response.writeHead(instead.status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(instead.body);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { authorization = '', 'content-type': type = '' } = request.headers;
      const headers = { authorization, 'content-type': type, 'x-amz-target': target };
      fetch(behind, { method: 'POST', headers, body: Buffer.concat(chunks) })
        .then(async (answer) => {
          response.writeHead(answer.status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(await answer.text());
        })
        .catch(() => response.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const aws: TestAws = {
    ...{ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, behind, asked },
    intercept: undefined,
    reset: async () => {
      aws.intercept = undefined;
      asked.length = 0;
      await fetch(`${behind}/moto-api/reset`, { method: 'POST' });
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
  return aws;
}
