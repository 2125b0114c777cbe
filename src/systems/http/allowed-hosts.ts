// BAUTA_HTTP_HOSTS: the hosts that anything may be sent to, each with its port and, where it is not a public one, its network.
import { toError } from '../../kernel/errors.js';
import { type Network, parseNetwork } from './address.js';

interface Entry {
  /** With `suffix` the end of the name, dot included. */
  readonly host: string;
  readonly suffix: boolean;
  readonly port: number;
  readonly networks: readonly Network[];
}

const FORM = /^(\*\.)?([A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(?:=(.+))?$/;

export class AllowedHosts {
  private constructor(private readonly entries: readonly Entry[]) {}

  /** `hooks.slack.com *.logic.azure.com idp.internal:8443=10.2.0.0/16`. Throws SETTING_INVALID. */
  static parse(text: string): AllowedHosts {
    return new AllowedHosts(text.split(/[\s,]+/).filter(Boolean).map(parseEntry)); // prettier-ignore
  }

  /** The networks beyond public addresses in which this host may be; undefined: it is not listed. */
  find({ hostname, port }: Pick<URL, 'hostname' | 'port'>): readonly Network[] | undefined {
    // A name with a dot at its end is the same name.
    const host = hostname.toLowerCase().replace(/\.$/, '');
    const wanted = port === '' ? 443 : Number(port);
    const found = this.entries.filter((entry) => entry.port === wanted && (entry.suffix ? host.endsWith(entry.host) : host === entry.host));
    return found.length === 0 ? undefined : found.flatMap(({ networks }) => networks);
  }
}

function parseEntry(text: string): Entry {
  const [, star, name = '', port = '443', network] = FORM.exec(text) ?? [];
  const networks = network === undefined ? [] : network.split('+').map(parseNetwork);
  const refused = name === '' || Number(port) > 65_535 || networks.includes(undefined);
  // As URL writes it: an address has many spellings, and one of them is compared. `*.com` would be everybody.
  const host = refused ? '' : toHostname(name);
  if (host === '' || (star !== undefined && !host.includes('.')))
    throw toError('SETTING_INVALID', {
      name: 'BAUTA_HTTP_HOSTS',
      expected: 'hosts such as hooks.slack.com or idp.internal:8443=10.2.0.0/16',
    });
  return { host: star === undefined ? host : `.${host}`, suffix: star !== undefined, port: Number(port), networks: networks as Network[] };
}

function toHostname(name: string): string {
  return URL.canParse(`https://${name}`) ? new URL(`https://${name}`).hostname : '';
}
