// What a person sees on stderr while a run goes: the one renderer, whether it goes in this process or in a service.
import type { Hooks } from '../pipeline/run.js';
import { type Told, tellingHooks } from '../pipeline/told.js';
import { paint, stripControls, toBytesText, toCount, toFindingText } from './print.js';
import { toChecksText } from './checks-text.js';
import { Progress } from './progress.js';
import { toPrivacyText } from './privacy-text.js';
import { toVerdictText } from './verdict-text.js';

export class Telling {
  private progress: Progress | undefined;

  /** A line of its own, between those of the run. */
  say(text: string): void {
    this.progress?.end();
    process.stderr.write(`${text}\n`);
  }

  tell(told: Told): void {
    switch (told.kind) {
      case 'prepared':
        return this.prepared(told);
      case 'built':
        return this.say(`build    ${told.statements} statements: keys, constraints, indexes, views, statistics`);
      case 'verified':
        return this.say(toVerdictText(told));
      case 'checked':
        return this.say(toChecksText(told.checks));
      case 'measured':
        return this.say(toPrivacyText(told.privacy) ?? 'privacy  no table speaks of persons');
    }
  }

  /** Rows that went into staging since it was said last. */
  moved(rows: number): void {
    this.progress?.add(rows);
  }

  /** No more of them. */
  copied(): void {
    this.progress?.end();
    this.progress = undefined;
  }

  private prepared({ warnings, plan, decision }: Extract<Told, { kind: 'prepared' }>): void {
    for (const finding of warnings) this.say(toFindingText(finding));
    if (!plan) return;
    const { tables, bytes, masked, columns, estimatedRows } = plan;
    this.say(`plan     ${toCount(tables, 'table')}, ${toBytesText(bytes)}, ${masked} of ${columns} columns masked`);
    if (decision)
      this.say(`gate     ${decision.allow ? paint('allow', 32) : paint('deny', 31)}, policy ${stripControls(decision.revision)}`);
    this.progress = new Progress('copy    ', estimatedRows);
  }
}

/** Of a run in this process. */
export function toHooks(telling: Telling): Hooks {
  const hooks = tellingHooks((told) => telling.tell(told));
  return {
    ...hooks,
    notReused: (why) => telling.say(`reuse    no: ${why}`),
    moved: (_, rows) => telling.moved(rows),
    heard: (line) => telling.say(`agents   ${line}`),
    built: (done, of) => {
      telling.copied();
      hooks.built(done, of);
    },
  };
}
