import type { CommandContext } from '../command.ts';
import { commands } from '../registry.ts';
import { runSwitchyard } from '../run-switchyard.ts';
import { type CommandOutcome, runInMemory } from './run-in-memory.ts';

/** A command line that is running. */
export interface RunningCommand {
  readonly outcome: Promise<CommandOutcome>;
  /** What Ctrl-C does. */
  stop(): void;
  /** Resolves once everything printed so far, stdout and stderr, contains the text. */
  printed(text: string): Promise<void>;
}

/** Starts a command line in this process. */
export function startCommand(words: readonly string[], overrides: Partial<CommandContext> = {}): RunningCommand {
  const stops: ((reason: string) => void)[] = [];
  const waits: { readonly text: string; readonly done: () => void }[] = [];
  const out: string[] = [];
  const err: string[] = [];
  const note = (sink: string[], text: string): void => {
    sink.push(text);
    for (const wait of waits) if (`${out.join('')}${err.join('')}`.includes(wait.text)) wait.done();
  };
  const run = runInMemory((line, context) => runSwitchyard(line, commands, context), words, {
    ...overrides,
    stdout: { write: (text) => note(out, text), ...(overrides.stdout?.isTTY === true ? { isTTY: true } : {}) },
    stderr: { write: (text) => note(err, text) },
    onStopRequest: (callback) => stops.push(callback),
  });
  const outcome = run.then(({ exitCode }) => ({ exitCode, out: out.join(''), err: err.join('') }));
  return {
    outcome,
    stop: () => {
      for (const stop of stops) stop('SIGINT');
    },
    printed: (text) =>
      Promise.race([
        new Promise<void>((done) => {
          waits.push({ text, done });
          note(out, '');
        }),
        outcome.then(({ exitCode, err: errors }) => {
          if (!`${out.join('')}${err.join('')}`.includes(text))
            throw new Error(`The command ended with ${exitCode} and did not print '${text}': ${errors}`);
        }),
      ]),
  };
}

/** Runs a command line to its end. */
export function runCommandLine(
  words: readonly string[],
  overrides: Partial<CommandContext> = {},
): Promise<CommandOutcome> {
  return startCommand(words, overrides).outcome;
}
