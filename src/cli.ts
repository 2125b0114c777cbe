#!/usr/bin/env node
// `bauta …`: one file per command in cli/, loaded when it is asked for. Exit codes: 0 done or allowed · 1 failed · 2 denied · 3 invalid input · 4 time-out.
import { runCommandLine } from './cli/cli.js';

process.exitCode = await runCommandLine(process.argv.slice(2));
