// Tells people, beside everything else: what happened was noted in its own transaction, and from there nothing waits for who is told. Every process
// may look; the locks of rows let one of them do it. Sent at least once: a process that dies in between leaves it to another, under the same id.
import type { ChannelDefinition } from '../../pipeline/definition.js';
import { type BautaError, toKnownError } from '../../kernel/errors.js';
import type { Metadata, NotificationRow, Transaction } from '../../systems/metadata/metadata.js';
import type { Message } from '../../systems/notify/notify.js';
import { type Grants, createReadSecret } from '../references.js';
import { Rounds, forEach } from '../rounds.js';
import { createReadStored } from '../stores.js';
import { toMessage, toQuietMs, toSubject } from './notice-message.js';
import { ComeAgain, type Sender, send } from './send.js';

export interface NotifierOptions extends Sender {
  readonly metadata: Metadata;
  readonly grants: Grants;
  /** Told of what goes wrong with looking; what goes wrong with a notification is in its row. */
  readonly failed: (error: unknown) => void;
  /** For tests: how long is waited after the first try. */
  readonly firstWaitMs?: number;
}

const ATTEMPTS = 8;
/** Notices whose ids are held at once. */
const PAGE = 100;
const LEASE_MS = 60_000;
const KEPT_DAYS = 90;

interface Waiting {
  readonly workspace_id: string;
  readonly id: string;
}

export class Notifier {
  private readonly rounds: Rounds;

  constructor(private readonly options: NotifierOptions) {
    this.rounds = new Rounds(() => this.lookOnce(), options.settings.BAUTA_NOTIFY_MS, options.failed);
  }

  /** Never throws. */
  look(): Promise<void> {
    return this.rounds.run();
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }

  private async lookOnce(): Promise<void> {
    const { metadata, failed } = this.options;
    // A notice that cannot be addressed stays where it is, so that the next page begins behind it.
    for (let after: string | undefined = '0'; after !== undefined;) {
      const found: readonly Waiting[] = await metadata.query<Waiting>('SELECT * FROM bauta.find_notices($1, $2)', [after, PAGE]);
      await forEach(found, failed, ({ workspace_id, id }) => this.address(workspace_id, id));
      await this.deliverDue();
      after = found.length < PAGE ? undefined : found.at(-1)?.id;
    }
  }

  private async deliverDue(): Promise<void> {
    const { metadata, failed } = this.options;
    const due = await metadata.query<Waiting>('SELECT * FROM bauta.find_due_notifications()');
    await Promise.all(due.map(({ workspace_id, id }) => this.deliver(workspace_id, id).catch(failed)));
  }

  /** From what happened to whom it is told: a notification for each channel that wants it. */
  private async address(workspaceId: string, id: string): Promise<void> {
    const { metadata } = this.options;
    const workspace = await metadata.workspaceName(workspaceId);
    await metadata.within(workspaceId, async (transaction) => {
      const notice = await transaction.notifications.takeNotice(id);
      const message = notice && (await toMessage(transaction, notice, workspace));
      if (!notice || !message) return;
      for (const channel of await findChannels(transaction, message)) {
        const { name } = channel;
        const notification = { noticeId: id, channel: name, event: message.event, subject: toSubject(message), message };
        await transaction.notifications.insert(notification, toQuietMs(message));
      }
      await transaction.notifications.forget(KEPT_DAYS);
    });
  }

  private async deliver(workspaceId: string, id: string): Promise<void> {
    const { metadata, grants, settings, environment } = this.options;
    const claimed = await metadata.within(workspaceId, async ({ notifications, documents }) => {
      const row = await notifications.claim(id, LEASE_MS);
      return row && { row, channel: await documents.find({ kind: 'Channel', name: row.channel }) };
    });
    if (!claimed) return;
    const { row, channel } = claimed;
    const workspace = await metadata.workspaceName(workspaceId);
    const read = createReadSecret({
      ...{ environment, settings, grants, workspace },
      readStored: createReadStored(settings, environment),
    });
    const error = await send(this.options, channel?.document as ChannelDefinition, read, id, row.message as Message).then(
      () => undefined,
      (thrown: unknown) => toKnownError(thrown),
    );
    await metadata.within(workspaceId, (transaction) => this.record(transaction, row, error));
  }

  /** What is not taken in eight tries, or never will be, is dead: listed, and an entry of the log. */
  private async record(
    transaction: Transaction,
    { id, channel, event, attempts }: NotificationRow,
    error: BautaError | undefined,
  ): Promise<void> {
    const again = error?.class === 'UnavailableError' && attempts < ATTEMPTS;
    if (error && again) {
      const usual = (this.options.firstWaitMs ?? 10_000) * 2 ** (attempts - 1) * (0.75 + Math.random() / 2);
      const wait = error instanceof ComeAgain ? Math.max(error.afterMs, usual) : usual;
      return transaction.notifications.retry(id, wait, error.code);
    }
    await transaction.notifications.end(id, error ? 'dead' : 'sent', error?.code ?? null);
    const data = { notification: id, channel, event, attempts, ...(error ? { error: error.code } : {}) };
    await transaction.audit({ type: error ? 'notification.dead' : 'notification.sent', at: new Date().toISOString(), data });
  }
}

async function findChannels({ documents }: Transaction, { event, pipeline }: Message): Promise<readonly ChannelDefinition[]> {
  const found: ChannelDefinition[] = [];
  for (let after: string | undefined; ;) {
    const page = await documents.list('Channel', 200, after);
    found.push(...page.map(({ document }) => document as ChannelDefinition));
    after = page.at(-1)?.name;
    if (page.length < 200) break;
  }
  return found.filter(
    ({ events, pipelines }) =>
      events.includes(event) && (pipelines === undefined || (pipeline !== undefined && pipelines.includes(pipeline))),
  );
}
