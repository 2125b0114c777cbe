// Request and response as the server under Nest gives them: Node's own, and the few members beside that are used here.
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Request extends IncomingMessage {
  readonly path: string;
  readonly originalUrl: string;
  readonly method: string;
  readonly body?: unknown;
  readonly query: Readonly<Record<string, unknown>>;
}

export interface Response extends ServerResponse {
  status(code: number): this;
  type(contentType: string): this;
  send(body: string): this;
}

export type NextFunction = (error?: unknown) => void;
