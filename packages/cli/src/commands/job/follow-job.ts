/**
 * Prints what a job writes until it ends, over lost connections: an agent with a durable store may restart meanwhile.
 *
 * I1 What has been printed is not printed again when the same output comes once more.
 */
import { type Clock, isPlatformError, sleep } from '@switchyard/kernel';
import type { JobLogEvent } from '@switchyard/protocol/job-api';
import type { CommandContext } from '../../command.ts';
import { jobErrors } from './errors.ts';
import type { JobClient } from './job-client.ts';

export type JobEnd = Extract<JobLogEvent, { name: 'ended' }>['data'];

type Stream = 'stdout' | 'stderr';

/** How long an agent may be away before the command gives up. */
const patienceMs = 60_000;
const retryMs = 500;

export async function followJob(
  client: Pick<JobClient, 'follow'>,
  jobId: string,
  { clock, context, signal }: { readonly clock: Clock; readonly context: Sinks; readonly signal: AbortSignal },
): Promise<JobEnd> {
  const printer = new Printer(context);
  let aliveMs = clock.monotonic();
  for (;;) {
    try {
      printer.restart();
      for await (const event of client.follow(jobId, true, signal)) {
        aliveMs = clock.monotonic();
        if (event.name === 'ended') return event.data;
        printer.take(event);
      }
      throw jobErrors.create('AGENT_UNREACHABLE', { endpoint: 'the agent', reason: 'it closed the connection' });
    } catch (error) {
      const isAway = isPlatformError(error) && error.code === 'AGENT_UNREACHABLE';
      if (!isAway || clock.monotonic() - aliveMs >= patienceMs) throw error;
      await sleep(clock, retryMs, signal);
    }
  }
}

/** Prints what there is so far. Undefined when the job has not ended. */
export async function printJob(
  client: Pick<JobClient, 'follow'>,
  jobId: string,
  context: Sinks,
  signal: AbortSignal,
): Promise<JobEnd | undefined> {
  const printer = new Printer(context);
  for await (const event of client.follow(jobId, false, signal)) {
    if (event.name === 'ended') return event.data;
    printer.take(event);
  }
  return undefined;
}

type Sinks = Pick<CommandContext, 'stdout' | 'stderr'>;

class Printer {
  readonly #sinks: Sinks;
  /** Characters of each stream that have been printed, and where in it the connection stands. */
  readonly #printed: Record<Stream, number> = { stdout: 0, stderr: 0 };
  readonly #position: Record<Stream, number> = { stdout: 0, stderr: 0 };

  constructor(sinks: Sinks) {
    this.#sinks = sinks;
  }

  take(event: JobLogEvent): void {
    if (event.name === 'restarted') this.restart();
    else if (event.name === 'missed')
      this.#sinks.stderr.write(`[${event.data.chunks} pieces are missing here: the reader was too slow]\n`);
    else if (event.name === 'output') this.#print(event.data.stream, event.data.text);
  }

  /** What was written comes again from its beginning. */
  restart(): void {
    this.#position.stdout = 0;
    this.#position.stderr = 0;
  }

  #print(stream: Stream, text: string): void {
    const known = Math.max(0, this.#printed[stream] - this.#position[stream]);
    this.#position[stream] += text.length;
    this.#printed[stream] = Math.max(this.#printed[stream], this.#position[stream]);
    if (known < text.length) this.#sinks[stream].write(text.slice(known));
  }
}
