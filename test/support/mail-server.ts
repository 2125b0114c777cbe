// As much of an SMTP server as one message takes: what it was told, by line. `answers` has another answer for a command, by its first word.
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface MailServer {
  readonly port: number;
  readonly messages: { readonly from: string; readonly to: readonly string[]; readonly text: string }[];
  readonly answers: Record<string, string>;
  stop(): Promise<void>;
}

export async function startMailServer(): Promise<MailServer> {
  const messages: MailServer['messages'] = [];
  const answers: Record<string, string> = {};
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let [from, text, inData] = ['', '', false];
    let to: string[] = [];
    let rest = '';
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.write('220 test ESMTP\r\n');
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (inData && line !== '.') {
          text += `${line}\n`;
          continue;
        }
        const word = inData ? '.' : (line.split(' ')[0] ?? '').toUpperCase();
        if (word === 'MAIL') [from, to, text] = [/<(.*?)>/.exec(line)?.[1] ?? '', [], ''];
        if (word === 'RCPT') to.push(/<(.*?)>/.exec(line)?.[1] ?? '');
        const answer = answers[word] ?? { DATA: '354 go on', QUIT: '221 bye', EHLO: '250 test' }[word] ?? '250 fine';
        if (word === '.' && answer.startsWith('250')) messages.push({ from, to, text });
        inData = word === 'DATA' && answer.startsWith('354');
        socket.write(`${answer}\r\n`);
        if (word === 'QUIT') socket.end();
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    messages,
    answers,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
