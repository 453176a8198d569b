/** The events of one job for one reader: what it has printed, what it prints, and how it ended. */
import { isFinalJobState, type JobLogEvent } from '@switchyard/protocol/job-api';
import type { OutputStream } from '../driver/contract.ts';
import type { OutputEvent } from '../execution/job-output.ts';
import type { Job } from '../jobs/job.ts';
import type { JobService } from '../jobs/job-service.ts';
import { maxEventCharacters } from './limits.ts';

const streams = ['stdout', 'stderr'] as const;

/**
 * Ends after the event `ended`; without `follow`, after what has been printed so far; and without a word when the signal
 * aborts or the agent closes.
 */
export async function* jobEvents(
  service: Pick<JobService, 'get' | 'outputOf' | 'began'>,
  jobId: string,
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<JobLogEvent> {
  if (follow) await service.began(jobId, signal);
  const output = service.outputOf(jobId);
  let isTold = false;
  if (output !== undefined && !isOver(service.get(jobId))) {
    isTold = true;
    if (follow) for await (const event of output.follow(signal)) yield* toLogEvents(event);
    else {
      const kept = output.kept();
      for (const stream of streams) yield* toOutput(stream, kept[stream].text);
    }
  }
  const job = service.get(jobId);
  if (job === undefined || !isOver(job) || signal.aborted) return;
  if (!isTold) for (const stream of streams) yield* toOutput(stream, job[stream]);
  const { id, state, exitCode, error } = job;
  yield { name: 'ended', data: { job_id: id, state, exit_code: exitCode, error } };
}

function isOver(job: Job | undefined): boolean {
  return job === undefined || isFinalJobState(job.state);
}

function* toLogEvents(event: OutputEvent): Generator<JobLogEvent> {
  if (event.kind === 'output') yield* toOutput(event.stream, event.text);
  else if (event.kind === 'missed') yield { name: 'missed', data: { chunks: event.chunks } };
  else yield { name: 'restarted', data: {} };
}

/** In pieces that a reader can hold; none of them ends within a surrogate pair. */
function* toOutput(stream: OutputStream, text: string): Generator<JobLogEvent> {
  for (let start = 0; start < text.length; ) {
    const wanted = Math.min(text.length, start + maxEventCharacters);
    const last = text.charCodeAt(wanted - 1);
    const isCut = wanted < text.length && last >= 0xd800 && last < 0xdc00;
    const end = isCut ? wanted - 1 : wanted;
    yield { name: 'output', data: { stream, text: text.slice(start, end) } };
    start = end;
  }
}
