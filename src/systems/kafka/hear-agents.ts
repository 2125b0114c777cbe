// What agents have said on the receipts topic since somebody looked last: who asks to be enrolled, where those that were enrolled stand, what they refuse.
import { toPublicKey } from '../../kernel/ed25519.js';
import { toError, toKnownError } from '../../kernel/errors.js';
import type { EnrolmentPlace } from './enrolment.js';
import type { Positions } from './reader.js';
import { type ProgressBody, type Refused, isProgress, toCodes, toRefused } from './wire/body.js';
import { type EnrolmentProblem, type EnrolmentRequest, type Invite, readEnrolment } from './wire/enrolment.js';
import { MessageReader, type ReadMessage, type ReceiptMessage, type ReceiptType, readReceipt, toClaimedAgent } from './wire/message.js';
import { toReceiptsTopic } from './wire/topic-names.js';

export interface KnownAgent {
  readonly agentId: string;
  /** In hex. */
  readonly publicKey: string;
  /** Of the receipts that were heard before. */
  readonly highest: number;
}

/** A receipt whose signature holds. */
export interface HeardReceipt {
  readonly agentId: string;
  readonly type: ReceiptType;
  readonly runId: string;
  readonly sequence: number;
  /** As the agent's clock has it. */
  readonly at: string;
  readonly version: number | undefined;
  readonly progress: ProgressBody | undefined;
  /** Of what it found. */
  readonly codes: readonly string[];
  readonly refused: readonly Refused[];
}

export interface HeardAgents {
  /** The first by each token. */
  readonly requests: readonly EnrolmentRequest[];
  readonly problems: ReadonlyMap<EnrolmentProblem, number>;
  readonly receipts: readonly HeardReceipt[];
  /** Records that claim to be of an agent that is known, and are not: unsigned, replayed, foreign. */
  readonly forged: number;
  /** Where to go on. */
  readonly positions: Positions;
}

export interface Hearken {
  readonly invites: readonly Invite[];
  readonly agents: readonly KnownAgent[];
  /** Where the last look ended. */
  readonly from?: Positions | undefined;
}

/** What is not there any more is not waited for: the agents' own numbers keep out what is old. */
export async function hearAgents(at: Pick<EnrolmentPlace, 'broker' | 'place' | 'clock'>, { from, ...of }: Hearken): Promise<HeardAgents> {
  try {
    return await hear(at, { from, ...of });
  } catch (error) {
    if (from === undefined || toKnownError(error).code !== 'TOPIC_RECORDS_GONE') throw error;
    return hear(at, of);
  }
}

async function hear(
  { broker, place, clock }: Pick<EnrolmentPlace, 'broker' | 'place' | 'clock'>,
  { invites, agents, from }: Hearken,
): Promise<HeardAgents> {
  const hearing = new Hearing(place, invites, agents, clock.now(), from !== undefined);
  const reader = await broker.reader({ topic: toReceiptsTopic(place), ...(from && { from }), waitMs: 100 });
  try {
    const ends = await reader.askEnds();
    // It was made anew.
    if (from && [...ends].some(([partition, end]) => (from.get(partition) ?? 0n) > end)) throw toError('TOPIC_RECORDS_GONE');
    while ([...ends].some(([partition, end]) => (reader.positions.get(partition) ?? 0n) < end))
      for (const { key, value, headers } of await reader.read()) hearing.take({ key, value, headers: Object.fromEntries(headers) });
    return hearing.end(new Map(reader.positions));
  } finally {
    await reader.close();
  }
}

class Hearing {
  private readonly requests = new Map<string, EnrolmentRequest>();
  private readonly problems = new Map<EnrolmentProblem, number>();
  private readonly receipts: HeardReceipt[] = [];
  private readonly known: ReadonlyMap<string, { readonly reader: MessageReader; highest: number }>;
  private forged = 0;

  constructor(
    private readonly place: EnrolmentPlace['place'],
    private readonly invites: readonly Invite[],
    agents: readonly KnownAgent[],
    private readonly nowMs: number,
    private readonly goesOn: boolean,
  ) {
    const toReader = (publicKey: string): MessageReader => new MessageReader('receipt', toPublicKey(Buffer.from(publicKey, 'hex')));
    this.known = new Map(agents.map(({ agentId, publicKey, highest }) => [agentId, { reader: toReader(publicKey), highest }]));
  }

  take(record: ReadMessage): void {
    const { workspace, environment } = this.place;
    const asked = readEnrolment(record, { workspace, environment, nowMs: this.nowMs, invites: this.invites });
    if (asked) return this.takeRequest(asked);
    const agentId = toClaimedAgent(record);
    const known = agentId === undefined ? undefined : this.known.get(agentId);
    if (!known || agentId === undefined) return;
    const found = readReceipt(known.reader, record, { environment, workspace, agentId, highest: known.highest });
    if (!found) return;
    if ('problem' in found) {
      // Read from the beginning, what was heard before is there again.
      if (found.problem !== 'older' || this.goesOn) this.forged += 1;
      return;
    }
    known.highest = found.message.sequence;
    this.receipts.push(toHeard(found.message));
  }

  end(positions: Positions): HeardAgents {
    const { problems, receipts, forged } = this;
    return { requests: [...this.requests.values()], problems, receipts, forged, positions };
  }

  private takeRequest(asked: NonNullable<ReturnType<typeof readEnrolment>>): void {
    if ('problem' in asked) this.problems.set(asked.problem, (this.problems.get(asked.problem) ?? 0) + 1);
    else if (!this.requests.has(asked.request.tokenId)) this.requests.set(asked.request.tokenId, asked.request);
  }
}

function toHeard({ agentId, type, runId, sequence, at, body }: ReceiptMessage): HeardReceipt {
  const { version } = body as { readonly version?: unknown };
  return {
    ...{ agentId, type, runId, sequence, at },
    version: typeof version === 'number' && Number.isSafeInteger(version) ? version : undefined,
    progress: type === 'loading' && isProgress(body) ? body : undefined,
    codes: type === 'failed' ? toCodes(body).map(({ code }) => code) : [],
    refused: type === 'refused' ? toRefused(body) : [],
  };
}

/** Where an agent stands, by its receipts so far. */
export interface AgentStanding {
  readonly state: ReceiptType | 'silent';
  readonly runId: string | null;
  readonly lastSeenAt: string | null;
  /** Of the run that it loads, or loaded last. */
  readonly progress: Pick<ProgressBody, 'rows' | 'bytes' | 'lag' | 'bytesPerSecond' | 'secondsLeft'> | null;
  /** All that it ever refused. */
  readonly refused: readonly Refused[];
  readonly highest: number;
}

export const silent: AgentStanding = { state: 'silent', runId: null, lastSeenAt: null, progress: null, refused: [], highest: 0 };

export function toStanding(before: AgentStanding, receipts: readonly HeardReceipt[]): AgentStanding {
  return receipts.reduce<AgentStanding>((standing, { type, runId, at, sequence, progress, refused }) => {
    const heard = { ...standing, lastSeenAt: at, highest: sequence };
    if (type === 'refused') return { ...heard, refused: addRefused(standing.refused, refused) };
    const goesOn = standing.runId === runId ? standing.progress : null;
    return { ...heard, state: type, runId, progress: progress ? toProgress(progress) : goesOn };
  }, before);
}

const toProgress = ({ rows, bytes, lag, bytesPerSecond, secondsLeft }: ProgressBody): NonNullable<AgentStanding['progress']> => {
  return { rows, bytes, lag, bytesPerSecond, secondsLeft };
};

function addRefused(before: readonly Refused[], more: readonly Refused[]): readonly Refused[] {
  const sums = new Map(before.map((one) => [`${one.topic} ${one.problem}`, one]));
  for (const one of more) {
    const name = `${one.topic} ${one.problem}`;
    sums.set(name, { ...one, amount: (sums.get(name)?.amount ?? 0) + one.amount });
  }
  return [...sums.values()];
}
