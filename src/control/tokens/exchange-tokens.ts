// Values for tokens, tokens for values: one call, one decision, one event. What is not in the log is not answered, and the log has counts and a reason
// that can be erased: no value and no token.
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import type { Json } from '../../kernel/canonical-json.js';
import { type BautaError, toError, toKnownError } from '../../kernel/errors.js';
import type { Decision, GateInput } from '../../pipeline/decision.js';
import { decide } from '../../pipeline/gate/gate.js';
import { NotOfForm, toExchange, toKeyLabel } from '../../pipeline/mask/mask.js';
import type { KeyProvider } from '../../pipeline/ports.js';
import type { Metadata, Transaction } from '../../systems/metadata/metadata.js';
import { type Caller } from '../http/http.js';
import { type FoundDomain, chooseVersion, findDomain, findTokenEnvironment } from './find-domain.js';
import { KeptTokens } from './kept-tokens.js';
import type { TokenDoors } from './token-doors.js';

export interface Wanted {
  readonly action: 'tokenise' | 'detokenise';
  readonly environment: string;
  readonly domain: string;
  readonly purpose: string;
  readonly reason: string;
  readonly texts: readonly string[];
  /** Of values whose tokens are kept: whom each is about. */
  readonly subjects?: readonly (string | null)[];
  readonly keyVersion?: number;
}

export interface Exchanged {
  readonly texts: readonly string[];
  /** Null: tokens of one answer may be of several, and each knows its own. */
  readonly keyVersion: number | null;
}

const DAY_MS = 86_400_000;

export class TokenExchange {
  constructor(
    private readonly metadata: Metadata,
    private readonly doors: TokenDoors,
    private readonly clock: Clock,
  ) {}

  /** Throws what stands in the way, after the log has it. MUST be called for somebody who has the right in this environment. */
  async exchange(caller: Caller, wanted: Wanted): Promise<Exchanged> {
    const workspace = await this.metadata.workspaceName(caller.workspaceId);
    const { environment, domain, texts } = wanted;
    const waitMs = this.doors.take(caller.personId, environment, domain, texts.length);
    const policy = await this.doors.getPolicy();
    const ended = await this.metadata.within(caller.workspaceId, async (transaction) => {
      const { isThere, found } = await findDomain(transaction, environment, domain);
      const said = await this.toSaid(transaction, wanted, isThere, found);
      const refuse = async (
        error: BautaError,
        codes: readonly string[] = [error.code],
        more: Said = {},
      ): Promise<{ error: BautaError }> => {
        await this.audit(transaction, caller, 'tokens.refused', { ...said, ...more, codes: [...codes] });
        return { error };
      };
      if (waitMs > 0) return refuse(toError('TOKEN_RATE_EXCEEDED', { amount: `${Math.max(1, Math.ceil(waitMs / 1000))} s` }));
      const scope = { workspace, environment: await findTokenEnvironment(transaction, environment) };
      const keys = this.doors.openKeys({ purpose: 'token', ...scope });
      try {
        const keyVersion = found && !found.definition.vaulted ? await chooseVersion(keys, wanted.action, wanted.keyVersion) : null;
        const decision = await decide(policy, await this.toQuestion(caller, wanted, found, keys, keyVersion));
        if (!decision.allow || !found) return await refuse(toDenial(decision), codesOf(decision), { policy: { ...decision.policy } });
        const answer = await this.carryOut(transaction, scope, wanted, found, keys, keyVersion);
        await this.audit(transaction, caller, 'tokens.exchanged', { ...said, keyVersion, policy: { ...decision.policy } });
        return { answer };
      } catch (error) {
        const known = error instanceof NotOfForm ? toError('TOKEN_VALUE_REFUSED', { row: error.index + 1 }) : toKnownError(error);
        // What is broken is no refusal; nothing was changed, and nothing is answered.
        if (known.class !== 'InputError' && known.class !== 'DeniedError') throw error;
        return refuse(withoutPath(known, environment));
      }
    });
    if ('error' in ended) throw ended.error;
    return ended.answer;
  }

  private async carryOut(
    transaction: Transaction,
    scope: { readonly workspace: string; readonly environment: string },
    { action, domain, purpose, texts, subjects = [] }: Wanted,
    { definition, params }: FoundDomain,
    keys: KeyProvider,
    keyVersion: number | null,
  ): Promise<Exchanged> {
    if (definition.vaulted || keyVersion === null) {
      const kept = new KeptTokens(keys, { scope, domain, params, purpose });
      const answered =
        action === 'tokenise' ? (await kept.toTokens(transaction, texts, subjects)).tokens : await kept.toValues(transaction, texts);
      return { texts: answered, keyVersion: null };
    }
    const key = await keys.derive(toKeyLabel(scope, domain, 'token'), keyVersion);
    const exchange = toExchange(key, domain, params);
    return { texts: action === 'tokenise' ? exchange.toTokens(texts) : exchange.toValues(texts), keyVersion };
  }

  private async toQuestion(
    { roles }: Caller,
    { action, environment, purpose, reason, texts }: Wanted,
    found: FoundDomain | undefined,
    keys: KeyProvider,
    keyVersion: number | null,
  ): Promise<GateInput> {
    const nowMs = this.clock.now();
    const { definition } = found ?? {};
    return {
      ...{ version: 1, today: Math.floor(nowMs / DAY_MS), nowMs, action, environment, purpose },
      domain: definition
        ? {
            reasonLength: definition.reason.trim().length,
            expiresDay: definition.expires === undefined ? null : Math.floor(Date.parse(`${definition.expires}T00:00:00Z`) / DAY_MS),
            purposes: [...(definition.purposes ?? [])],
          }
        : null,
      reasonLength: reason.trim().length,
      count: texts.length,
      key: { version: keyVersion, expiresAtMs: keyVersion === null ? null : await keys.expiresAt(keyVersion) },
      roles: [...roles],
    };
  }

  /** What the log may have of it: names that documents have, never those that the caller made up. */
  private async toSaid(
    { log }: Transaction,
    { action, environment, domain, purpose, reason, texts }: Wanted,
    isThere: boolean,
    found: FoundDomain | undefined,
  ): Promise<Said> {
    return {
      action,
      environment: isThere ? environment : null,
      domain: found ? domain : null,
      purpose: found?.definition.purposes?.includes(purpose) ? purpose : null,
      count: texts.length,
      reason: { committed: await log.keepText(reason) },
    };
  }

  private audit(transaction: Transaction, { personId }: Caller, type: string, data: Said): Promise<void> {
    return transaction.audit({ type, at: toTimestamp(this.clock.now()), actor: personId, data });
  }
}

type Said = Readonly<Record<string, Json>>;

const codesOf = ({ reasons }: Decision): readonly string[] => [...new Set(reasons.map(({ code }) => code))];

/** Where keys are is nobody's business who asks over the network. */
function withoutPath(error: BautaError, environment: string): BautaError {
  const { code, where } = error;
  return where.file === undefined ? error : toError(code, { name: environment, amount: where.amount, file: environment });
}

const toDenial = (decision: Decision): BautaError => toError('EXCHANGE_DENIED', { name: codesOf(decision).join(', ') });
