// What is sent by HTTP, and what comes back.

export interface HttpRequest {
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Over all of it, from the name to the last byte; default 10 s. */
  readonly timeoutMs?: number;
  /** Of the answer's body; default 1 MiB. */
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  /** Never of a redirect. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}
