import type { CommandContext } from '../command.ts';

/** What a command line did. */
export interface CommandOutcome {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, and keeps what it printed. */
export async function runInMemory(
  run: (words: readonly string[], context: CommandContext) => Promise<number>,
  words: readonly string[],
  overrides: Partial<CommandContext> = {},
): Promise<CommandOutcome> {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await run(words, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    environment: {},
    workingDirectory: '/',
    onStopRequest: () => {},
    ...overrides,
  });
  return { exitCode, out: out.join(''), err: err.join('') };
}
