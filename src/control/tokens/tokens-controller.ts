// The door of /v1/tokens: values become tokens outside of a run, and what is known of a person is destroyed.
import { Controller, Inject, Optional, Req, Res } from '@nestjs/common';

import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { CLOCK, type Request, type Response, Route, callerOf, parseRequest, requireRight } from '../http/http.js';
import { shredAnswer, shredBody, tokenAnswer, tokenBody, tokensAnswer, tokensBody } from './exchange-schemas.js';
import { type Exchanged, TokenExchange, type Wanted } from './exchange-tokens.js';
import { findTokenEnvironment } from './find-domain.js';
import { KeptTokens } from './kept-tokens.js';
import { TOKEN_DOORS, TokenDoors } from './token-doors.js';

/** As the schemas of exchange-schemas.ts have it. */
type Body = Omit<Wanted, 'action' | 'texts' | 'subjects'>;

@Controller('v1/tokens')
export class TokensController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Optional() @Inject(TOKEN_DOORS) private readonly doors?: TokenDoors,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'tokens:exchange', body: tokenBody, answer: tokenAnswer, errors: [404, 410] },
    summary: 'the token of a value, as a run makes it or as it is kept',
  })
  async one(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<object> {
    type One = Body & { readonly value: string; readonly subject?: string | null };
    const { value, subject = null, ...rest } = parseRequest<never>(request.body, tokenBody) as One;
    const wanted = { ...rest, action: 'tokenise', texts: [value], subjects: [subject] } as const;
    const { texts, keyVersion } = await exchangeFor(request, response, this.toExchange(), wanted);
    return { token: texts[0], keyVersion };
  }

  @Route({
    ...{ method: 'POST', path: 'batch', needs: 'tokens:exchange', body: tokensBody, answer: tokensAnswer, errors: [404, 410] },
    summary: 'the tokens of many values, all of them or none',
  })
  async many(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<object> {
    type Many = Body & { readonly values: readonly string[]; readonly subjects?: readonly (string | null)[] };
    const { values, subjects = [], ...rest } = parseRequest<never>(request.body, tokensBody) as Many;
    const wanted = { ...rest, action: 'tokenise', texts: values, subjects } as const;
    const { texts, keyVersion } = await exchangeFor(request, response, this.toExchange(), wanted);
    return { tokens: texts, keyVersion };
  }

  @Route({
    ...{ method: 'POST', path: 'shred', needs: 'tokens:shred', body: shredBody, answer: shredAnswer },
    summary: 'destroy what kept tokens of an environment stand for, of one person; the tokens stay and stand for nothing',
  })
  async shred(@Req() request: Request): Promise<{ shredded: number }> {
    type Shred = { readonly environment: string; readonly subject: string; readonly reason: string };
    const { environment, subject, reason } = parseRequest<never>(request.body, shredBody) as Shred;
    requireRight(request, 'tokens:shred', [environment]);
    const { openKeys } = this.doors ?? unavailable();
    const { workspaceId, personId: actor } = callerOf(request);
    const workspace = await this.metadata.workspaceName(workspaceId);
    return this.metadata.within(workspaceId, async (transaction) => {
      const place = await findTokenEnvironment(transaction, environment);
      const domains = await transaction.tokenEntries.domains(place);
      const keys = openKeys({ purpose: 'token', workspace, environment: place });
      const digests = domains.map((domain) =>
        new KeptTokens(keys, { scope: { workspace, environment: place }, domain, params: {}, purpose: '' }).toSubjects(subject),
      );
      const shredded = domains.length === 0 ? 0 : await transaction.tokenEntries.shred(place, (await Promise.all(digests)).flat());
      const committed = await transaction.log.keepText(reason);
      const known = await transaction.documents.find({ kind: 'Environment', name: environment });
      const data = { environment: known ? environment : null, count: shredded, reason: { committed } };
      await transaction.audit({ type: 'tokens.shredded', at: toTimestamp(this.clock.now()), actor, data });
      return { shredded };
    });
  }

  private toExchange(): TokenExchange {
    return new TokenExchange(this.metadata, this.doors ?? unavailable(), this.clock);
  }
}

/** Who has the right in this environment gets the answer; who has to wait is told for how long. */
export async function exchangeFor(request: Request, response: Response, exchange: TokenExchange, wanted: Wanted): Promise<Exchanged> {
  requireRight(request, 'tokens:exchange', [wanted.environment]);
  const answered = exchange.exchange(callerOf(request), wanted);
  return answered.catch((error: unknown) => {
    const { code, where } = (error ?? {}) as { readonly code?: string; readonly where?: { readonly amount?: string } };
    if (code === 'TOKEN_RATE_EXCEEDED') response.setHeader('Retry-After', String(parseInt(where?.amount ?? '1', 10)));
    throw error;
  });
}

export function unavailable(): never {
  throw toError('TOKENS_UNAVAILABLE');
}
