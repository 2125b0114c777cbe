// The page about the API and its description, for whoever has a token.
import { Controller, Inject, Param, Req, Res } from '@nestjs/common';

import { type Request, type Response, Route, openApiPages } from './http/http.js';

/** `make` is filled in once the application is made: the description is made from it, when somebody asks first. */
export class Description {
  make: () => object = () => ({});
  private made: object | undefined;

  document(): object {
    return (this.made ??= this.make());
  }
}

@Controller()
export class OpenApiController {
  private readonly pages: ReturnType<typeof openApiPages>;

  constructor(@Inject(Description) description: Description) {
    this.pages = openApiPages(() => description.document());
  }

  @Route({
    method: 'GET',
    path: 'openapi',
    needs: 'anyone',
    summary: 'a page to read and try the API',
    answerType: 'text/html',
    answer: { type: 'string' },
  })
  page(@Req() request: Request, @Res() response: Response): void {
    this.pages('', request, response);
  }

  @Route({ method: 'GET', path: 'openapi.json', needs: 'anyone', summary: 'this description', answer: { type: 'object' } })
  json(@Req() request: Request, @Res() response: Response): void {
    this.pages('openapi.json', request, response);
  }

  @Route({
    method: 'GET',
    path: 'openapi/:file',
    needs: 'anyone',
    summary: 'a file of the page',
    answerType: 'text/javascript',
    answer: { type: 'string' },
    errors: [404],
  })
  file(@Param('file') file: string, @Req() request: Request, @Res() response: Response): void {
    this.pages(file, request, response);
  }
}
