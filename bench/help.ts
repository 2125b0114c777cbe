// The words of a benchmark's command line.
import { writeSync } from 'node:fs';

/** Prints the text and ends the process where the command line asks for it. */
export function exitForHelp(usage: string): void {
  if (!process.argv.slice(2).some((word) => word === '--help' || word === '-h')) return;
  writeSync(1, `${usage}\n`);
  process.exit(0);
}

/** The number after a word of the command line. */
export function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}
