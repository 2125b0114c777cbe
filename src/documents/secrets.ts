// Documents live in Git: no connection string and no password may stand in one. Found by form, told by place.
import type { Json } from '../kernel/canonical-json.js';
import { isConnectionString } from '../kernel/connection-string.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import { toPointer } from '../kernel/json-pointer.js';
import { toLine, toSafePath } from './validate.js';
import type { Tree } from './yaml-tree.js';

const REFERENCE = /^(env|file|vault|aws):/;
const PASSWORD_KEY = /^(password|passwd|pwd|passphrase|apikey|api[-_]key|secret)$/i;

/** Members below these are names of columns or paths, where `password: secret.password` is a tag. */
const NAMES_BELOW = new Set(['columns', 'paths', 'patterns', 'rules']);

export function findSecrets(tree: Tree, file: string): readonly Finding[] {
  const findings: Finding[] = [];
  const refuse = (pointer: string): void => {
    findings.push(toFinding('DOCUMENT_SECRET', { file, line: toLine(tree.lines, pointer), path: toSafePath(pointer) }));
  };
  const visit = (value: Json, pointer: string, named: boolean): void => {
    if (typeof value === 'string') {
      if (isConnectionString(value)) refuse(pointer);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value)) {
        if (member === undefined) continue;
        const below = pointer + toPointer(key);
        if (isConnectionString(key)) refuse(below);
        const isPassword = !named && PASSWORD_KEY.test(key) && member !== null && typeof member !== 'boolean';
        if (isPassword && !(typeof member === 'string' && REFERENCE.test(member))) refuse(below);
        else visit(member, below, !Array.isArray(value) && NAMES_BELOW.has(key));
      }
    }
  };
  visit(tree.value, '', false);
  return findings;
}
