// Is a text well-formed XML, as far as our reports use it: elements, attributes with the five entities, text.
import { expect } from '@jest/globals';

export function expectWellFormed(text: string): void {
  const open: string[] = [];
  for (const [, close, name = '', empty] of text
    .replace(/^<\?.*\?>/, '')
    .matchAll(/<(\/?)([a-z-]+)(?:\s+[a-z]+="[^"<&]*(?:&(?:lt|gt|amp|quot|apos);[^"<&]*)*")*\s*(\/?)>/g)) {
    if (close) expect(open.pop()).toBe(name);
    else if (!empty) open.push(name);
  }
  expect(open).toEqual([]);
}
