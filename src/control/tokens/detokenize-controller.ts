// The door of /v1/detokenize: tokens become values again, for who may.
import { Controller, Inject, Optional, Req, Res } from '@nestjs/common';

import type { Clock } from '../../kernel/clock.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { CLOCK, type Request, type Response, Route, parseRequest } from '../http/http.js';
import { valueAnswer, valueBody, valuesAnswer, valuesBody } from './exchange-schemas.js';
import { TokenExchange, type Wanted } from './exchange-tokens.js';
import { TOKEN_DOORS, TokenDoors } from './token-doors.js';
import { exchangeFor, unavailable } from './tokens-controller.js';

type Body = Omit<Wanted, 'action' | 'texts' | 'subjects'>;

@Controller('v1/detokenize')
export class DetokenizeController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Optional() @Inject(TOKEN_DOORS) private readonly doors?: TokenDoors,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'tokens:exchange', body: valueBody, answer: valueAnswer, errors: [404, 410] },
    summary: 'the value that a token stands for',
  })
  async one(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<object> {
    const { token, ...rest } = parseRequest<never>(request.body, valueBody) as Body & { readonly token: string };
    const { texts, keyVersion } = await this.exchange(request, response, rest, [token]);
    return { value: texts[0], keyVersion };
  }

  @Route({
    ...{ method: 'POST', path: 'batch', needs: 'tokens:exchange', body: valuesBody, answer: valuesAnswer, errors: [404, 410] },
    summary: 'the values that many tokens stand for, all of them or none',
  })
  async many(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<object> {
    const { tokens, ...rest } = parseRequest<never>(request.body, valuesBody) as Body & { readonly tokens: readonly string[] };
    const { texts, keyVersion } = await this.exchange(request, response, rest, tokens);
    return { values: texts, keyVersion };
  }

  private exchange(request: Request, response: Response, body: Body, texts: readonly string[]): ReturnType<typeof exchangeFor> {
    const exchange = new TokenExchange(this.metadata, this.doors ?? unavailable(), this.clock);
    return exchangeFor(request, response, exchange, { ...body, action: 'detokenise', texts });
  }
}
