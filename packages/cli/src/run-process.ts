import { systemClock } from '@switchyard/kernel';
import type { CommandContext } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { GatheredOutput } from './gathered-output.ts';
import { StopRequests } from './stop-requests.ts';

/**
 * Makes this process a command: hands the command line, the console and the signals to `run`, and ends with the exit code
 * that it returns.
 */
export function runProcess(run: (words: readonly string[], context: CommandContext) => Promise<number>): void {
  const stops = new StopRequests(systemClock, () => process.exit(exitCodes.interrupted.code));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stops.request(signal));

  // The launcher holds a channel to this process. When it closes, the launcher was killed and nobody passes signals on.
  process.on('disconnect', () => stops.request('the launcher is gone'));
  process.channel?.unref();

  // A reader that goes away (`switchyard dev | head`) is a reason to end, not a defect.
  process.stdout.on('error', () => stops.request('nobody reads the console any more'));

  const stdout = new GatheredOutput({ clock: systemClock, target: process.stdout, nextTurn: setImmediate });
  process.on('exit', () => stdout.flush());

  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  const context: CommandContext = {
    // Only who reads it touches it.
    get stdin() {
      return process.stdin;
    },
    stdout,
    stderr: {
      write(text) {
        // On a terminal both are read as one.
        stdout.flush();
        process.stderr.write(text);
      },
    },
    environment: process.env,
    workingDirectory: process.cwd(),
    commandLine: [process.execPath, ...process.argv.slice(1, 2)],
    onStopRequest: (callback) => stops.subscribe(callback),
  };
  run(process.argv.slice(2), context).then((exitCode) => process.exit(exitCode), crash);
}

/** A defect of ours: says so and ends; the exit handlers take the workers along. */
function crash(error: unknown): never {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`Switchyard stopped because of a defect of its own. Please report it.\n${text}\n`);
  process.exit(exitCodes.failed.code);
}
