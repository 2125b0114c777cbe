// Whose word a checker takes, as a file: https://c2sp.org/tlog-policy. Logs by their keys, witnesses by theirs, and how many of which have to have
// cosigned a checkpoint.
import { type Witness, parseWitnessKey } from '../../kernel/cosignature.js';
import { type Verifier, parseVerifierKey } from '../../kernel/signed-note.js';

export interface PolicyWitness {
  /** What the file calls it; its key has a name of its own. */
  readonly name: string;
  readonly witness: Witness;
  /** Submission prefix (https://c2sp.org/tlog-witness); undefined: nobody is asked. */
  readonly url: string | undefined;
}

export interface TrustPolicy {
  readonly logs: readonly Verifier[];
  readonly witnesses: readonly PolicyWitness[];
  /** Whether these of its witnesses are enough. */
  readonly isQuorum: (cosigned: ReadonlySet<Witness>) => boolean;
  /** As it stands in the file, for whoever is told that it was not reached: a name, or `none`. */
  readonly quorum: string;
}

/** The place of what is wrong, and what would be right. */
export interface PolicyProblem {
  /** 1-based. */
  readonly line: number;
  readonly expected: string;
}

const MOST_LINES = 1000;
const MOST_NAMED = 256;

type Member = (cosigned: ReadonlySet<Witness>) => boolean;

/** Never throws; of a file with a mistake nothing is believed. */
export function parseTrustPolicy(text: string): TrustPolicy | PolicyProblem {
  const reading = new Reading();
  // The last line has an end like every other.
  if (!text.endsWith('\n')) return { line: text.split('\n').length, expected: 'a newline at the end' };
  const lines = text.slice(0, -1).split('\n');
  if (lines.length > MOST_LINES) return { line: MOST_LINES, expected: `at most ${MOST_LINES} lines` };
  for (const [at, line] of lines.entries()) {
    const expected = reading.read(line);
    if (expected !== undefined) return { line: at + 1, expected };
  }
  return reading.policy() ?? { line: lines.length, expected: 'a line `quorum NAME` or `quorum none`' };
}

export const isPolicyProblem = (read: TrustPolicy | PolicyProblem): read is PolicyProblem => 'line' in read;

class Reading {
  readonly #logs: Verifier[] = [];
  readonly #witnesses: PolicyWitness[] = [];
  readonly #named = new Map<string, Member>();
  readonly #members = new Set<string>();
  #quorum: { readonly name: string; readonly member: Member } | undefined;

  /** What the line should have been; undefined when it is right. */
  read(line: string): string | undefined {
    if (/[^\t\u0020-\u007e\u0080-\uffff]/.test(line)) return 'no control characters';
    const [word = '', ...rest] = line.split(/[ \t]+/).filter(Boolean);
    if (word === '' || word.startsWith('#')) return undefined;
    if (word === 'log') return this.#log(rest);
    if (word === 'witness') return this.#witness(rest);
    if (word === 'group') return this.#group(rest);
    return word === 'quorum' ? this.#readQuorum(rest) : 'log, witness, group, quorum, or a comment after #';
  }

  policy(): TrustPolicy | undefined {
    const quorum = this.#quorum;
    return quorum && { logs: this.#logs, witnesses: this.#witnesses, isQuorum: quorum.member, quorum: quorum.name };
  }

  #log([key = '', ...rest]: string[]): string | undefined {
    const verifier = parseVerifierKey(key);
    if (!verifier || rest.length > 1) return 'log VKEY [URL], with an Ed25519 key of a log';
    if (this.#logs.some((one) => isSame(one, verifier))) return 'each key once';
    this.#logs.push(verifier);
    return undefined;
  }

  #witness([name = '', key = '', url, ...rest]: string[]): string | undefined {
    const witness = parseWitnessKey(key);
    if (!witness || rest.length > 0) return 'witness NAME VKEY [URL], with an Ed25519 key of a witness (type 0x04)';
    if (url !== undefined && !isPrefix(url)) return 'https://HOST/PATH, or http:// on this machine';
    if (this.#witnesses.some((one) => isSame(one.witness, witness))) return 'each key once';
    this.#witnesses.push({ name, witness, url });
    return this.#define(name, (cosigned) => cosigned.has(witness));
  }

  #group([name = '', count = '', ...members]: string[]): string | undefined {
    const needed = count === 'all' ? members.length : count === 'any' ? 1 : /^[1-9]\d{0,3}$/.test(count) ? Number(count) : 0;
    if (needed < 1 || needed > members.length) return 'group NAME all|any|NUMBER NAME…';
    const found: Member[] = [];
    for (const member of members) {
      const known = this.#named.get(member);
      if (!known) return `names of lines before this one`;
      if (this.#members.has(member)) return 'each name in one group';
      this.#members.add(member);
      found.push(known);
    }
    return this.#define(name, (cosigned) => found.filter((member) => member(cosigned)).length >= needed);
  }

  #readQuorum([name = '', ...rest]: string[]): string | undefined {
    const member = name === 'none' ? (): boolean => true : this.#named.get(name);
    if (!member || rest.length > 0) return 'quorum none, or the name of a witness or group of a line before this one';
    if (this.#quorum) return 'one quorum';
    this.#quorum = { name, member };
    return undefined;
  }

  #define(name: string, member: Member): string | undefined {
    if (name === 'none' || this.#named.has(name)) return 'a name that is not taken';
    if (this.#named.size >= MOST_NAMED) return `at most ${MOST_NAMED} names`;
    this.#named.set(name, member);
    return undefined;
  }
}

const isSame = (one: Verifier, other: Verifier): boolean => Buffer.from(one.publicKey).equals(other.publicKey);

function isPrefix(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname));
}
