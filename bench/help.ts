// What --help of a benchmark prints.
import { writeSync } from 'node:fs';

/** Prints the text and ends the process where the command line asks for it. */
export function exitForHelp(usage: string): void {
  if (!process.argv.slice(2).some((word) => word === '--help' || word === '-h')) return;
  writeSync(1, `${usage}\n`);
  process.exit(0);
}
