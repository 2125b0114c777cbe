// The log of the process: one JSON object a line, by pino. What Nest itself says is told by its class only, since its texts may quote the caller.
import type { LoggerService } from '@nestjs/common';
import { type Logger, pino } from 'pino';

export class JsonLogger implements LoggerService {
  private readonly logger: Logger;

  constructor(level: string) {
    this.logger = pino({ level, base: { service: 'bauta' }, timestamp: pino.stdTimeFunctions.isoTime });
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
