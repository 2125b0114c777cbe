#!/usr/bin/env node
// `bauta …`: one file per command in cli/, loaded when it is asked for. Exit codes: 0 done or allowed · 1 failed · 2 denied · 3 invalid input · 4 time-out.
import { runCommandLine, tellFailure } from './cli/cli.js';
import { sealProcess, tellUncaught } from './cli/seal-process.js';

const words = process.argv.slice(2);
tellUncaught((error) => tellFailure(words, error));
sealProcess();
process.exitCode = await runCommandLine(words);
