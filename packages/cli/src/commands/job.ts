import { type CommandInput, defineCommand } from '../command.ts';
import { choose } from '../scaffold/choices.ts';
import { jobErrors } from './job/errors.ts';
import { commonFlags, flagsOfActions, type JobAction, jobFlags } from './job/job-flags.ts';

/** More words than a command line of a container has. */
const maxWords = 1_000;

const actions: Readonly<Record<JobAction, readonly string[]>> = {
  run: ['run'],
  ps: ['ps'],
  logs: ['logs'],
  cancel: ['cancel'],
  result: ['result'],
};

export const jobCommand = defineCommand({
  name: 'job',
  summary: 'Runs container jobs on a node agent, and looks after them: run, ps, logs, cancel, result.',
  positional: {
    name: 'action',
    summary: 'run [-- <command>], ps, logs <id>, cancel <id> or result <id>',
    maximum: maxWords,
    usage: '<action> [<id>] [-- <command>]',
  },
  flags: jobFlags,
  examples: [
    'switchyard job run --image busybox -- echo hello',
    'switchyard job run --image busybox --id nightly --detach -- sleep 60',
    'switchyard job logs nightly -f',
    'switchyard job ps --state queued,running',
    'switchyard job result nightly --json',
  ],
  async run(input, context) {
    const [word, ...words] = input.positionals;
    if (word === undefined)
      throw jobErrors.create('JOB_USAGE', { problem: 'Say what to do: run, ps, logs, cancel or result.' });
    const action = choose('action', word, actions);
    requireFlags(action, input);
    // The schemas are loaded here, so that the other commands do not wait for them.
    const { jobActions } = await import('./job/actions.ts');
    return await jobActions[action]({ words, flags: input.flags, context });
  },
});

/** A flag that the action does not take was meant to do something. */
function requireFlags(action: JobAction, { origins }: CommandInput<typeof jobFlags>): void {
  const known = [...flagsOfActions[action], ...commonFlags];
  const excess = [...origins.keys()].find((name) => name in jobFlags && !known.includes(name));
  if (excess === undefined) return;
  const problem = `'switchyard job ${action}' takes no --${excess}. It takes: ${known.map((name) => `--${name}`).join(', ')}.`;
  throw jobErrors.create('JOB_USAGE', { problem });
}
