// Every secret that a world of the service made, and everything that it said, logged and stored: none of them may stand in any of these, but in the
// one answer that showed it. Nothing of Jest: the soaks are scripts of their own.
import { deepStrictEqual, ok } from 'node:assert/strict';

export class KeptSecrets {
  private readonly secrets = new Set<string>();
  private readonly said: string[] = [];

  /** What was made outside of an answer. */
  add(secret: string): string {
    this.secrets.add(secret);
    return secret;
  }

  /** A line of the log, or an answer with its headers. What it shows as `token` or `firstToken` is a secret from now on. */
  hear(text: string): void {
    const shown = [...text.matchAll(/"(?:token|firstToken)":"(bauta_[\w-]+)"/g)].map(([, secret]) => secret ?? '');
    // Once: shown a second time it is found.
    const rest = shown.filter((secret) => !this.secrets.has(secret)).reduce((left, secret) => left.replace(secret, ''), text);
    for (const secret of shown) this.secrets.add(secret);
    this.said.push(rest);
  }

  /** `rows`: everything that the metadata database holds, as text. */
  check(rows: readonly string[]): void {
    const found = [...this.said, ...rows].filter((text) => [...this.secrets].some((secret) => text.includes(secret)));
    const shown = found.map((text) =>
      [...this.secrets].reduce((left, secret) => left.replaceAll(secret, '[a secret]'), text).slice(0, 300),
    );
    deepStrictEqual(shown, []);
    ok(this.secrets.size > 0);
  }
}
