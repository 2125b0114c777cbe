// W3C Trace Context (https://www.w3.org/TR/trace-context/): which trace a request belongs to, the caller's or a new one.
import { randomBytes } from 'node:crypto';

const form = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** A `traceparent` of our own span in the caller's trace; what is malformed begins a trace of its own, as section 3.2.2.5 has it. */
export function continueTrace(header: unknown): string {
  const [, trace, , flags] = (typeof header === 'string' ? form.exec(header) : null) ?? [];
  return `00-${trace ?? randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-${flags ?? '01'}`;
}

/** The 32 hex digits of the trace. */
export function toTraceId(traceparent: string): string {
  return traceparent.slice(3, 35);
}
