// What a decision rests on, found by asking: the rules are asked again without each member of the question, and without each parameter of `data`, and a member
// that takes a reason away when it is gone is one that the reason rests on. So it holds for rules in any style, and says what would change the answer and not
// which lines were passed. Whole branches are tried first: one that changes nothing is not looked into, so that a large question costs few evaluations.
import type { Json } from '../../kernel/canonical-json.js';
import type { Decision, GateInput } from '../../pipeline/decision.js';
import { BautaError } from '../../kernel/errors.js';
import type { Question, Rules } from './rules.js';

type Reason = Decision['reasons'][number];
type Path = readonly (string | number)[];

export interface Cause {
  /** `input.gate.threshold`, `data.closed[0]`. */
  readonly member: string;
  readonly value: Json;
  /** The nearest value that was found to take the reason away, all else as it is; undefined: none of this kind was. */
  readonly instead?: Json;
}

export interface Explained {
  /** In the order of the question. */
  readonly causes: readonly Cause[];
  /** Not everything was tried: the question is larger than so many evaluations reach. */
  readonly partly: boolean;
}

/** Evaluations for one reason. */
const MOST = 4000;
const MOST_LEAVES = 400;

interface Search {
  readonly rules: Rules;
  readonly question: Question;
  readonly input: GateInput;
  readonly decisionId: string;
  readonly reason: Reason;
  /** Reasons of its code in the answer. */
  readonly among: number;
  left: number;
}

/** What one reason of these rules rests on. `all` MUST be their answer to the same question, and `reason` one of it. */
export async function explainReason(
  asked: Omit<Search, 'reason' | 'among' | 'left'>,
  reason: Reason,
  all: readonly Reason[],
): Promise<Explained> {
  const { rules, input } = asked;
  const search: Search = { ...asked, reason, among: all.filter(({ code }) => code === reason.code).length, left: MOST };
  const [inputs, data] = [new Tried(search, 'input', input), new Tried(search, 'data', JSON.parse(rules.data) as Json)];
  return { causes: [...(await inputs.causes()), ...(await data.causes())], partly: search.left <= 0 };
}

class Tried {
  constructor(
    private readonly search: Search,
    private readonly root: 'input' | 'data',
    private readonly document: Json,
  ) {}

  async causes(): Promise<readonly Cause[]> {
    const found: Path[] = [];
    await this.visit([], this.document, found);
    const causes: Cause[] = [];
    for (const path of found) {
      const value = at(this.document, path);
      const instead = await this.instead(path, value);
      causes.push({ member: toName(this.root, path), value, ...(instead === undefined ? {} : { instead }) });
    }
    return [...causes, ...(await this.equals(causes))];
  }

  /**
   * What is compared with one of these: a reason that two things differ stands also when one of them is gone, and falls when they are the same. And each
   * yes or no that would have to be the other.
   */
  private async equals(causes: readonly Cause[]): Promise<readonly Cause[]> {
    const leaves = leavesOf(this.document, []);
    if (leaves.length > MOST_LEAVES) return [];
    const known = new Set(causes.map(({ member }) => member));
    const found: Cause[] = [];
    for (const path of leaves) {
      const [member, value] = [toName(this.root, path), at(this.document, path)];
      if (known.has(member)) continue;
      const others =
        typeof value === 'boolean' ? [!value] : causes.map((cause) => cause.value).filter((other) => typeof other === typeof value);
      for (const instead of new Set(others.filter((other) => other !== value && typeof other !== 'object')))
        if (!(await this.stands(replaced(this.document, path, instead)))) {
          found.push({ member, value, instead });
          break;
        }
    }
    return found;
  }

  /** Adds the innermost members without which the reason is gone; tells whether there was any. */
  private async visit(path: Path, value: Json, found: Path[]): Promise<boolean> {
    const members = membersOf(value);
    let within = false;
    // It rests on how many there are, and on none of them.
    if (Array.isArray(value) && members.length > 16 && (await this.counts(path, members))) return false;
    for (const group of groupsOf(members)) {
      if (group.length > 1 && (await this.stands(without(this.document, path, group)))) continue;
      for (const member of group) {
        if (this.search.left <= 0) return within;
        const inner = [...path, member];
        // A list is tried by its members first: the reason may be about one of them.
        if (await this.stands(without(this.document, path, [member]))) continue;
        within = true;
        if (!(await this.visit(inner, at(this.document, inner), found))) found.push(inner);
      }
    }
    return within;
  }

  private async counts(path: Path, members: readonly (string | number)[]): Promise<boolean> {
    for (const part of [0, 0.3, 0.6, 0.99])
      if (await this.stands(without(this.document, path, [members[Math.floor(part * members.length)] ?? 0]))) return false;
    return true;
  }

  /** Whether the reason is still given when the document is this one. What cannot be decided is no answer without it. */
  private async stands(document: Json): Promise<boolean> {
    const { rules, question, input, decisionId, reason } = this.search;
    if (this.search.left-- <= 0) return true;
    try {
      const asked = this.root === 'input' ? (document as GateInput) : input;
      const answer = await rules.ask(question, asked, decisionId, this.root === 'data' ? JSON.stringify(document) : undefined);
      // With another number in its sentence, or of another place, it is still one of as many.
      const same = answer.filter(({ code }) => code === reason.code);
      return same.length >= this.search.among || same.some(({ message }) => message === reason.message);
    } catch (error) {
      if (error instanceof BautaError) return true;
      throw error;
    }
  }

  /** The other yes or no; of a number the nearest on either side that takes the reason away. */
  private async instead(path: Path, value: Json): Promise<Json | undefined> {
    const gone = async (other: Json): Promise<boolean> => !(await this.stands(replaced(this.document, path, other)));
    if (typeof value === 'boolean') return (await gone(!value)) ? !value : undefined;
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) return undefined;
    for (const direction of [1, -1]) {
      let step = 1;
      while (step < 2 ** 40 && !(await gone(value + direction * step))) step *= 2;
      if (step >= 2 ** 40) continue;
      let [low, high] = [Math.floor(step / 2), step];
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (await gone(value + direction * middle)) high = middle;
        else low = middle;
      }
      return value + direction * high;
    }
    return undefined;
  }
}

function membersOf(value: Json): readonly (string | number)[] {
  if (Array.isArray(value)) return value.map((_, n) => n);
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

/** Members that are first tried together. */
function groupsOf(members: readonly (string | number)[]): readonly (readonly (string | number)[])[] {
  const size = members.length > 16 ? Math.ceil(Math.sqrt(members.length)) : 1;
  return Array.from({ length: Math.ceil(members.length / size) }, (_, n) => members.slice(n * size, (n + 1) * size));
}

function leavesOf(value: Json, path: Path): readonly Path[] {
  const members = membersOf(value);
  if (members.length === 0) return path.length === 0 || typeof value === 'object' ? [] : [path];
  return members.flatMap((name) => leavesOf(at(value, [name]), [...path, name]));
}

const at = (document: Json, path: Path): Json =>
  path.reduce((value, name) => (value as Readonly<Record<string | number, Json>>)[name] as Json, document);

function without(document: Json, path: Path, members: readonly (string | number)[]): Json {
  const value = at(document, path);
  const gone = new Set(members);
  const rest: Json = Array.isArray(value)
    ? (value as readonly Json[]).filter((_, n) => !gone.has(n))
    : Object.fromEntries(Object.entries(value as Readonly<Record<string, Json>>).filter(([name]) => !gone.has(name)));
  return replaced(document, path, rest);
}

function replaced(document: Json, path: Path, other: Json): Json {
  const [first, ...rest] = path;
  if (first === undefined) return other;
  const inner = replaced((document as Readonly<Record<string | number, Json>>)[first] as Json, rest, other);
  if (Array.isArray(document)) return (document as readonly Json[]).map((item, n) => (n === first ? inner : item));
  return { ...(document as Readonly<Record<string, Json>>), [first]: inner };
}

const toName = (root: string, path: Path): string =>
  path.reduce<string>(
    (text, name) =>
      typeof name === 'number' ? `${text}[${name}]` : /^\w+$/.test(name) ? `${text}.${name}` : `${text}[${JSON.stringify(name)}]`,
    root,
  );
