// `bauta detokenize`: tokens on stdin, one a line, and their values on stdout, for who may. Never as words of the command line: those stay in histories.
import { InputError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { writeJson } from './print.js';
import { requireServer } from './server.js';

export interface DetokenizeOptions extends GlobalOptions {
  readonly purpose?: string;
  readonly reason?: string;
  readonly keyVersion?: number;
}

interface Answer {
  readonly values: readonly string[];
  readonly keyVersion: number | null;
}

/** As many as the policy lets through at once. */
const AT_ONCE = 10_000;

export async function detokenize(of: string, options: DetokenizeOptions): Promise<number> {
  const [, environment, domain] = /^([^/]+)\/(.+)$/s.exec(of) ?? [];
  if (domain === undefined)
    throw new InputError('OPTION_INVALID', { name: 'what to exchange', expected: 'ENVIRONMENT/DOMAIN, as in dev/cards' });
  const { purpose, reason, keyVersion } = options;
  const missing = purpose === undefined ? '--purpose' : reason === undefined ? '--reason' : undefined;
  if (missing !== undefined) throw new InputError('OPTION_MISSING', { name: missing, expected: 'bauta detokenize --help' });
  const server = await requireServer(options, 'detokenize');
  const tokens = await readLines();
  const asked = { environment, domain, purpose, reason, ...(keyVersion === undefined ? {} : { keyVersion }) };
  const answers: Answer[] = [];
  for (let at = 0; at === 0 || at < tokens.length; at += AT_ONCE)
    answers.push(await server.post<Answer>('/v1/detokenize/batch', { ...asked, tokens: tokens.slice(at, at + AT_ONCE) }));
  const values = answers.flatMap((answer) => answer.values);
  if (wantsJson(options)) writeJson({ values, keyVersion: answers[0]?.keyVersion ?? null, findings: [] });
  else process.stdout.write(values.map((value) => `${value}\n`).join(''));
  return 0;
}

async function readLines(): Promise<readonly string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  const lines = Buffer.concat(chunks).toString('utf8').split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}
