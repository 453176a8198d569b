import { resolve } from 'node:path';
import { silentLog } from '@switchyard/kernel';
import { type CommandContext, type CommandInput, defineCommand } from '../command.ts';
import { choose } from '../scaffold/choices.ts';

const flags = {
  socket: {
    kind: 'text',
    placeholder: 'PATH',
    short: 's',
    summary: 'listens here for the sidecar: POST /restart, POST /shutdown, GET /status (nowhere)',
  },
  'worker-path': {
    kind: 'text',
    placeholder: 'WORD',
    summary: "the word of the command that is the worker's path, so that a restart can change it",
  },
  'on-crash': {
    kind: 'text',
    placeholder: 'POLICY',
    summary: 'exit, or restart for another try after a wait, five in a row at most (exit)',
  },
  'grace-seconds': {
    kind: 'integer',
    placeholder: 'N',
    minimum: 0,
    maximum: 3_600,
    summary: 'waits so long between SIGTERM and SIGKILL (10)',
  },
  pass: {
    kind: 'list',
    placeholder: 'NAME',
    summary:
      'hands this variable on to the worker, beside PATH, FUNCTIONS_WORKER_* and the like; may be given many times',
  },
} as const;

type WrapperInput = CommandInput<typeof flags>;

/** More words than a worker's command line has. */
const maxWords = 1_000;

const defaultGraceSeconds = 10;

/** What a worker that fails leads to. */
const policies = { exit: ['exit'], restart: ['restart'] } as const;

export const wrapperCommand = defineCommand({
  name: 'wrapper',
  summary: 'Runs a language worker and supervises it; ends with its exit code.',
  positional: {
    name: 'command',
    summary: 'the program of the worker and its words, behind two dashes',
    maximum: maxWords,
    usage: '-- <program> <words>',
  },
  flags,
  examples: [
    'switchyard wrapper -- node worker.js --functions-uri http://127.0.0.1:50051/',
    'switchyard wrapper --socket /run/worker.sock --worker-path worker.js -- node worker.js',
  ],
  run: async (input, context) => {
    const options = toOptions(input, context);
    // Everything heavy is loaded here, so that the other commands do not wait for it.
    const { runWrapper } = await import('@switchyard/standalone/wrapper');
    return await runWrapper(options);
  },
});

function toOptions({ positionals, flags: given }: WrapperInput, context: CommandContext) {
  const { workingDirectory, environment, stdout, stderr } = context;
  return {
    command: positionals,
    workerPath: given['worker-path'],
    directory: workingDirectory,
    environment,
    passes: given.pass ?? [],
    socketPath: given.socket === undefined ? undefined : resolve(workingDirectory, given.socket),
    onCrash: choose<keyof typeof policies>('policy', given['on-crash'] ?? 'exit', policies),
    graceMs: (given['grace-seconds'] ?? defaultGraceSeconds) * 1_000,
    stdout,
    stderr,
    log: silentLog,
    onStopRequest: (callback: () => void) => context.onStopRequest(callback),
  };
}
