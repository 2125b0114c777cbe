// The log of the process: one JSON object a line, by pino. What Nest itself says is told by its class only, since its texts may quote the caller.
import type { LoggerService } from '@nestjs/common';
import { type Logger, pino } from 'pino';

export class JsonLogger implements LoggerService {
  private readonly logger: Logger;

  /** `sink`: instead of stdout. */
  constructor(level: string, sink?: { write(line: string): void }) {
    const options = { level, base: { service: 'bauta' }, timestamp: pino.stdTimeFunctions.isoTime };
    this.logger = sink ? pino(options, sink) : pino(options);
  }

  log(message: unknown, context?: unknown): void {
    this.logger.debug(toFields(message, context));
  }

  warn(message: unknown, context?: unknown): void {
    this.logger.warn(toFields(message, context));
  }

  error(message: unknown, ...more: unknown[]): void {
    this.logger.error(toFields(message, more.at(-1)));
  }

  info(fields: Readonly<Record<string, unknown>>): void {
    this.logger.info(fields);
  }
}

function toFields(message: unknown, context: unknown): object {
  const from = typeof context === 'string' ? { context } : {};
  return typeof message === 'object' && message !== null && !(message instanceof Error) ? { ...from, ...message } : from;
}
