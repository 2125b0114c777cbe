// Who was revoked stays so, also where his revocation was taken from the topic.
import { expect, it } from '@jest/globals';

import type { ControlMessage } from '../wire/message.js';
import { toAgents } from './versions.js';

const agent = { publicKey: '00'.repeat(32), recipient: 'age1x' };
const told = (type: 'enrolled' | 'revoked', runId: string): ControlMessage => ({ type, runId, body: agent }) as unknown as ControlMessage;

it('takes an agent for enrolled by what the topic says, and never against the register', () => {
  const messages = [told('enrolled', 'a'), told('enrolled', 'b'), told('revoked', 'b'), told('enrolled', 'c')];
  expect([...toAgents(messages).keys()]).toEqual(['a', 'c']);
  expect([...toAgents(messages, new Set(['c'])).keys()]).toEqual(['a']);
});
