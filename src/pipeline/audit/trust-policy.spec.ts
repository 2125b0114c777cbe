import { expect, it } from '@jest/globals';

import { formatWitnessKey, toCosigner } from '../../kernel/cosignature.js';
import { formatVerifierKey, toSigner } from '../../kernel/signed-note.js';
import { type TrustPolicy, isPolicyProblem, parseTrustPolicy } from './trust-policy.js';

const logKey = formatVerifierKey(toSigner('log.example', new Uint8Array(32).fill(1)).verifier);
const witnesses = ['X1', 'X2', 'X3', 'Y1', 'Y2'].map((name, at) => ({
  name,
  ...toCosigner(`${name}.example`, new Uint8Array(32).fill(at + 10)),
}));
const vkey = (name: string): string => formatWitnessKey(witnesses.find((one) => one.name === name)!.witness);

function parse(text: string): TrustPolicy {
  const read = parseTrustPolicy(text);
  if (isPolicyProblem(read)) throw new Error(JSON.stringify(read));
  return read;
}

function problemOf(text: string): number | undefined {
  const read = parseTrustPolicy(text);
  return isPolicyProblem(read) ? read.line : undefined;
}

it('judges two levels of groups as the example of the standard says', () => {
  const lines = [
    '# who checks',
    `log ${logKey}`,
    '',
    ...witnesses.map(({ name }) => `witness ${name} ${vkey(name)}`),
    '\tgroup  X 2 X1 X2 X3',
    'group Y any Y1 Y2 ',
    'group both all X Y',
    'quorum both',
  ];
  const policy = parse(`${lines.join('\n')}\n`);
  const holds = (...names: string[]): boolean =>
    policy.isQuorum(new Set(policy.witnesses.filter(({ name }) => names.includes(name)).map(({ witness }) => witness)));
  expect(policy.logs.map(({ name }) => name)).toEqual(['log.example']);
  expect([holds('X1', 'X2', 'Y2'), holds('X1', 'Y1', 'Y2'), holds('X1', 'X2', 'X3'), holds()]).toEqual([true, false, false, false]);
});

it('asks for nobody with `quorum none`, and takes URLs that are encrypted or of this machine', () => {
  const policy = parse(`witness a ${vkey('X1')} http://127.0.0.1:8455\nwitness b ${vkey('X2')} https://w.example/x\nquorum none\n`);
  expect([policy.isQuorum(new Set()), policy.witnesses.map(({ url }) => url)]).toEqual([
    true,
    ['http://127.0.0.1:8455', 'https://w.example/x'],
  ]);
});

it.each([
  ['an unknown word', `logs ${logKey}\nquorum none\n`, 1],
  ['a log key where a witness stands', `witness a ${logKey}\nquorum a\n`, 1],
  ['a witness key where a log stands', `log ${vkey('X1')}\nquorum none\n`, 1],
  ['the same log twice', `log ${logKey}\nlog ${logKey}\nquorum none\n`, 2],
  ['the same witness twice', `witness a ${vkey('X1')}\nwitness b ${vkey('X1')}\nquorum a\n`, 2],
  ['a name that is taken', `witness a ${vkey('X1')}\nwitness a ${vkey('X2')}\nquorum a\n`, 2],
  ['a witness called none', `witness none ${vkey('X1')}\nquorum none\n`, 1],
  ['a group of names that come later', `group g any a\nwitness a ${vkey('X1')}\nquorum g\n`, 1],
  ['more than there are', `witness a ${vkey('X1')}\ngroup g 2 a\nquorum g\n`, 2],
  ['a member in two groups', `witness a ${vkey('X1')}\ngroup g any a\ngroup h any a\nquorum h\n`, 3],
  ['a quorum that nobody defined', `quorum a\n`, 1],
  ['two quorums', `quorum none\nquorum none\n`, 2],
  ['no quorum', `log ${logKey}\n`, 1],
  ['no newline at the end', `quorum none`, 1],
  ['a control character', `quorum none\r\n`, 1],
  ['plain HTTP to elsewhere', `witness a ${vkey('X1')} http://w.example\nquorum a\n`, 1],
])('refuses %s, and says in which line', (_, text, line) => {
  expect(problemOf(text)).toBe(line);
});
