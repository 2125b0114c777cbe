// JUnit XML, as test runners write it: suites in suites, cases with failure, error or skipped. Entities that a document declares are refused.
import { SaxesParser } from 'saxes';

import { type BautaError, toError } from '../../kernel/errors.js';
import { toInstant } from './member.js';
import type { Scanning } from './scan.js';

const DEEPEST = 100;

interface Case {
  readonly name: string;
  state: 'passed' | 'failed' | 'skipped';
}

/** Throws SCAN_MALFORMED with line and column where the text stops being XML. */
export async function readJunit(chunks: AsyncIterable<Uint8Array>, scanning: Scanning): Promise<void> {
  scanning.tool = { name: 'junit', version: null };
  scanning.addRules(0);
  const parser = new SaxesParser();
  const malformed = (): BautaError =>
    toError('SCAN_MALFORMED', { stage: 'gate', amount: `line ${parser.line}, column ${parser.column}`, name: 'XML' });
  let depth = 0;
  let current: Case | undefined;
  parser.on('error', () => {
    throw malformed();
  });
  parser.on('doctype', () => {
    throw malformed();
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (++depth > DEEPEST || (depth === 1 && name !== 'testsuites' && name !== 'testsuite')) throw malformed();
    if (name === 'testsuite') {
      scanning.addTargets(1);
      scanning.madeAt ??= toInstant(attributes['timestamp']);
    } else if (name === 'testcase')
      current = { name: `${attributes['classname'] ?? ''} ${attributes['name'] ?? ''}`.trim(), state: 'passed' };
    else if (current && (name === 'failure' || name === 'error')) current.state = 'failed';
    else if (current && name === 'skipped' && current.state === 'passed') current.state = 'skipped';
  });
  parser.on('closetag', ({ name }) => {
    depth--;
    if (name !== 'testcase' || !current) return;
    if (current.state !== 'skipped') scanning.addRules(1);
    if (current.state === 'failed') scanning.add({ rule: 'test-failed', severity: 'high', place: current.name });
    current = undefined;
  });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of chunks) parser.write(decoder.decode(chunk, { stream: true }));
    parser.write(decoder.decode()).close();
  } catch (error) {
    throw error instanceof TypeError ? malformed() : error;
  }
}
