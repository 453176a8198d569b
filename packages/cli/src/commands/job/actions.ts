/** What `switchyard job` does, one function per action; each returns the exit code. */
import { type Clock, systemClock } from '@switchyard/kernel';
import type { JobSummary } from '@switchyard/protocol/job-api';
import type { CommandContext, FlagValues } from '../../command.ts';
import { toCell, toTable } from '../../control/table.ts';
import { untilStopped } from '../../control/until-stopped.ts';
import { exitCodes } from '../../exit-codes.ts';
import { findAgent } from './agent-endpoint.ts';
import { jobErrors } from './errors.ts';
import { followJob, type JobEnd, printJob } from './follow-job.ts';
import { toJobBody } from './job-body.ts';
import { JobClient } from './job-client.ts';
import type { JobAction, jobFlags } from './job-flags.ts';

/** One call of the command. */
export interface JobCommand {
  /** What stands behind the action. */
  readonly words: readonly string[];
  readonly flags: FlagValues<typeof jobFlags>;
  readonly context: CommandContext;
}

const clock: Clock = systemClock;

export const jobActions: Readonly<Record<JobAction, (command: JobCommand) => Promise<number>>> = {
  run: runJob,
  ps: listJobs,
  logs: showLogs,
  cancel: cancelJob,
  result: showResult,
};

async function runJob({ words, flags, context }: JobCommand): Promise<number> {
  const client = new JobClient(await findAgent(flags, context));
  const never = new AbortController().signal;
  let jobId: string | undefined;
  let isStopped = false;
  const cancelIt = async (id: string): Promise<void> => {
    await client.cancel(id, never).catch((error: Error) => context.stderr.write(`${error.message}\n`));
  };
  context.onStopRequest(() => {
    isStopped = true;
    // Once it is accepted the job is cancelled, and its end is waited for.
    if (jobId !== undefined && !flags.detach) void cancelIt(jobId);
  });
  const body = await toJobBody(words, flags, context, never);
  await client.submit(body, never);
  jobId = body.job_id;
  if (flags.detach) {
    context.stdout.write(`${jobId}\n`);
    return exitCodes.done.code;
  }
  if (isStopped) await cancelIt(jobId);
  const end = await followJob(client, jobId, { clock, context, signal: never });
  if (isStopped) {
    context.stderr.write(`${endText(end)}\n`);
    return exitCodes.interrupted.code;
  }
  return finish(end, context);
}

async function listJobs({ words, flags, context }: JobCommand): Promise<number> {
  requireWords('ps', words, 0);
  const client = new JobClient(await findAgent(flags, context));
  const query = new URLSearchParams();
  if (flags.state !== undefined) query.set('state', flags.state);
  if (flags.limit !== undefined) query.set('limit', String(flags.limit));
  for (const label of flags.label ?? []) query.append('label', label);
  return await untilStopped(context, async (signal) => {
    const list = await client.list(query, signal);
    context.stdout.write(flags.json ? `${JSON.stringify(list)}\n` : describeJobs(list.jobs));
    if (list.next_cursor !== null && !flags.json)
      context.stderr.write('There are more. Ask for them with a higher --limit.\n');
    return exitCodes.done.code;
  });
}

async function showLogs({ words, flags, context }: JobCommand): Promise<number> {
  const jobId = requireWords('logs', words, 1);
  const client = new JobClient(await findAgent(flags, context));
  const { follow } = flags;
  return await untilStopped(
    context,
    async (signal) => {
      if (follow) await followJob(client, jobId, { clock, context, signal });
      else await printJob(client, jobId, context, signal);
      return exitCodes.done.code;
    },
    { follows: follow },
  );
}

async function cancelJob({ words, flags, context }: JobCommand): Promise<number> {
  const jobId = requireWords('cancel', words, 1);
  const client = new JobClient(await findAgent(flags, context));
  return await untilStopped(context, async (signal) => {
    const answer = await client.cancel(jobId, signal);
    context.stdout.write(flags.json ? `${JSON.stringify(answer)}\n` : `${answer.note}\n`);
    return exitCodes.done.code;
  });
}

/** How long one answer is waited for; then the agent is asked again. */
const waitSeconds = 60;

/** Waits for the end, prints the job's output, and ends as it did. */
async function showResult({ words, flags, context }: JobCommand): Promise<number> {
  const jobId = requireWords('result', words, 1);
  const client = new JobClient(await findAgent(flags, context));
  return await untilStopped(context, async (signal) => {
    let job = await client.look(jobId, waitSeconds, signal);
    while (job.state === 'queued' || job.state === 'running') job = await client.look(jobId, waitSeconds, signal);
    if (flags.json) context.stdout.write(`${JSON.stringify(job)}\n`);
    else {
      context.stdout.write(job.stdout);
      context.stderr.write(job.stderr);
    }
    return finish(job, context);
  });
}

/** The program's own exit code, where it has one that says something; its words go to stderr. */
function finish(
  end: Pick<JobEnd, 'state' | 'exit_code' | 'error'>,
  { stderr }: Pick<CommandContext, 'stderr'>,
): number {
  if (end.state === 'finished') return exitCodes.done.code;
  stderr.write(`${endText(end)}\n`);
  return end.exit_code === null || end.exit_code === 0 ? exitCodes.failed.code : end.exit_code;
}

function endText({ state, error }: Pick<JobEnd, 'state' | 'error'>): string {
  return error === null ? `The job ${state}.` : `${error.message} (${error.code})`;
}

function describeJobs(jobs: readonly JobSummary[]): string {
  const rows = jobs.map((job) => [
    toCell(job.job_id),
    job.state,
    job.created_at,
    job.exit_code === null ? '' : String(job.exit_code),
    toCell(job.image?.reference ?? ''),
    toCell(job.error?.code ?? ''),
  ]);
  return toTable(['JOB', 'STATE', 'CREATED', 'EXIT', 'IMAGE', 'ERROR'], rows);
}

/** The only word behind an action, or none. */
function requireWords(action: JobAction, words: readonly string[], count: 0 | 1): string {
  if (words.length === count) return words[0] ?? '';
  const usage = `switchyard job ${action}${count === 1 ? ' <id>' : ''}`;
  throw jobErrors.create('JOB_USAGE', { problem: `That is not understood. Write: ${usage}.` });
}
