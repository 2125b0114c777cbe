// E-mail by the operator's relay. Plain text, one message to each channel; TLS that is verified unless the relay is this machine.
import { createTransport } from 'nodemailer';

import { toError } from '../../kernel/errors.js';
import { type Message, toFacts, toTitle } from './message.js';

export interface Relay {
  /** `smtp://` (STARTTLS is demanded) or `smtps://`, with user and password where it wants them. Secret. */
  readonly url: string;
  readonly from: string;
  /** Certificates beside those that Node trusts. */
  readonly ca?: string;
}

const TIMEOUT_MS = 10_000;

/** Throws NOTIFICATION_REFUSED for what no second try mends, NOTIFICATION_UNDELIVERED for the rest. The relay's words are dropped. */
export async function sendMail(relay: Relay, id: string, to: readonly string[], message: Message): Promise<void> {
  const transport = createTransport(toOptions(relay));
  try {
    await transport.sendMail({
      from: relay.from,
      to: [...to],
      subject: `Bauta: ${toTitle(message)}${message.pipeline === undefined ? '' : ` (${message.pipeline})`}`,
      text: `${toTitle(message)}\n\n${toFacts(message)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n')}\n`,
      messageId: `<${id}@bauta.invalid>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  } catch (error) {
    const { responseCode = 0, code = '' } = error as { responseCode?: number; code?: string };
    throw toError(
      responseCode >= 500 || (responseCode === 0 && code === 'EENVELOPE') ? 'NOTIFICATION_REFUSED' : 'NOTIFICATION_UNDELIVERED',
      { name: 'the relay' },
    );
  } finally {
    transport.close();
  }
}

function toOptions({ url: text, ca }: Relay): object {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'smtp:' && url?.protocol !== 'smtps:') throw toError('CONNECTION_REFERENCE_INVALID', { name: 'BAUTA_SMTP' });
  const secure = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const local = host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
  return {
    ...{ host, port: url.port === '' ? (secure ? 465 : 587) : Number(url.port), secure },
    ...(local && !secure ? { ignoreTLS: true } : { requireTLS: true }),
    ...{ connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS, dnsTimeout: TIMEOUT_MS },
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
    ...(url.username === '' ? {} : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
  };
}
