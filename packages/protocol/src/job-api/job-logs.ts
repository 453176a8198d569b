/** What `GET /jobs/{job_id}/logs` sends: server-sent events, each with one JSON value. */
import { z } from 'zod';
import { jobErrorSchema } from './job-error.ts';
import { jobStates } from './job-record.ts';

/** The data of each event, by its name. */
export const jobLogSchemas = {
  /** What the program wrote, in order within a stream; a character is never cut in two. */
  output: z.object({ stream: z.enum(['stdout', 'stderr']), text: z.string() }),
  /** The reader was too slow, and so many pieces are missing here. The record has them. */
  missed: z.object({ chunks: z.int() }),
  /** The agent lost its connection to the engine: everything comes again from the beginning. */
  restarted: z.object({}),
  /** The last event of a job that has ended. */
  ended: z.object({
    job_id: z.string(),
    state: z.enum(jobStates),
    exit_code: z.int().nullable(),
    error: jobErrorSchema.nullable(),
  }),
} as const;

export type JobLogName = keyof typeof jobLogSchemas;

/** One event, ready to be sent. */
export type JobLogEvent = {
  readonly [Name in JobLogName]: { readonly name: Name; readonly data: z.infer<(typeof jobLogSchemas)[Name]> };
}[JobLogName];

/** Reads an event as it arrived; undefined for one that this version does not know. Throws for broken data. */
export function parseJobLogEvent(name: string, data: unknown): JobLogEvent | undefined {
  if (!Object.hasOwn(jobLogSchemas, name)) return undefined;
  const known = name as JobLogName;
  return { name: known, data: jobLogSchemas[known].parse(data) } as JobLogEvent;
}
